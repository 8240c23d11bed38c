// What compilers before Swift 6.2 have no name for, and do not ask for.

#if compiler(<6.2)
    /// Swift 6.2's protocol of types whose conformances are bound to no actor (SE-0470). Every type is one before.
    public typealias SendableMetatype = Any
#endif
