// Rules for dates.

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// They compare with the time at which the value is checked, the same for all rules of one check.
extension ValidationRule where Value == Date {
    /// Before now.
    public static var past: ValidationRule { ValidationRule("must be in the past", at: { $0 < $1 }) }

    /// Now or before.
    public static var pastOrPresent: ValidationRule { ValidationRule("must not be in the future", at: { $0 <= $1 }) }

    /// After now.
    public static var future: ValidationRule { ValidationRule("must be in the future", at: { $0 > $1 }) }

    /// Now or after.
    public static var futureOrPresent: ValidationRule { ValidationRule("must not be in the past", at: { $0 >= $1 }) }
}
