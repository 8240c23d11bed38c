// OpenSSL to the end of the process, where LeakSanitizer looks at what is left then.

#if __has_feature(address_sanitizer)
#include <openssl/crypto.h>

/// OpenSSL's own cleanup (`OPENSSL_cleanup`, by atexit) comes before that, and takes away what frees a thread's random generators
/// and errors when it ends. A loop's thread ends a second after its last client: in between they would be leaks.
__attribute__((constructor)) static void keep_openssl(void) { OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL); }
#endif
