// PKCS#12 stores (RFC 7292): what OpenSSL has functions for in some releases alone, or none.

#ifndef COPENSSL_PKCS12_H
#define COPENSSL_PKCS12_H

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
#include <openssl/provider.h>
#endif
#include <stdbool.h>

// What knows the ciphers, too, that OpenSSL 3 has taken out of its default provider: RC2 and RC4, with which stores were
// encrypted for twenty years. A library context of its own, so that nothing else gets to use them. NULL where the legacy
// provider is not installed, and before OpenSSL 3, which has them all. Never to be freed.
static inline void *cossl_legacy_context(void) {
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    OSSL_LIB_CTX *context = OSSL_LIB_CTX_new();
    if (!context) return NULL;
    if (OSSL_PROVIDER_load(context, "legacy") && OSSL_PROVIDER_load(context, "default")) return context;
    OSSL_LIB_CTX_free(context);
#endif
    return NULL;
}

// Has this thread use the context for whatever names none (OSSL_LIB_CTX_set0_default(3)); returns the one that it used.
static inline void *cossl_use_context(void *context) {
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    return OSSL_LIB_CTX_set0_default(context);
#else
    return context;
#endif
}
static inline void *cossl_global_context(void) {
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    return OSSL_LIB_CTX_get0_global_default();
#else
    return NULL;
#endif
}

// Whether the last failures are for want of an algorithm.
static inline bool cossl_is_unsupported(unsigned long code) {
    int reason = ERR_GET_REASON(code);
    return ERR_GET_LIB(code) == ERR_LIB_EVP && (reason == EVP_R_UNSUPPORTED_ALGORITHM
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
        || reason == ERR_R_UNSUPPORTED
#endif
    );
}

// A copy of the key, or of the certificate, in the context of all others; NULL where there is none.
static inline EVP_PKEY *cossl_key_in_global_context(const EVP_PKEY *key) {
    PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(key);
    void *before = cossl_use_context(cossl_global_context());
    EVP_PKEY *copy = plain ? EVP_PKCS82PKEY(plain) : NULL;
    (void)cossl_use_context(before);
    PKCS8_PRIV_KEY_INFO_free(plain);
    return copy;
}
static inline X509 *cossl_certificate_in_global_context(const X509 *certificate) {
    unsigned char *der = NULL;
    int length = i2d_X509(certificate, &der);
    const unsigned char *read = der;
    void *before = cossl_use_context(cossl_global_context());
    X509 *copy = length > 0 ? d2i_X509(NULL, &read, length) : NULL;
    (void)cossl_use_context(before);
    OPENSSL_free(der);
    return copy;
}

// Takes over the key, which is NULL where it cannot be read. The name is in UTF-8, or NULL.
typedef void cossl_key_receiver(void *context, EVP_PKEY *key, const char *name);

static inline void cossl_each_key_of_bags(
    const STACK_OF(PKCS12_SAFEBAG) *bags, const char *password, int length, void *context, cossl_key_receiver *each) {
    for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags); i++) {
        PKCS12_SAFEBAG *bag = sk_PKCS12_SAFEBAG_value(bags, i);
        int kind = PKCS12_SAFEBAG_get_nid(bag);
        // d2i has limited how deep they are in each other.
        if (kind == NID_safeContentsBag) {
            cossl_each_key_of_bags(PKCS12_SAFEBAG_get0_safes(bag), password, length, context, each);
        }
        if (kind != NID_keyBag && kind != NID_pkcs8ShroudedKeyBag) continue;
        PKCS8_PRIV_KEY_INFO *decrypted =
            kind == NID_keyBag ? NULL : PKCS12_decrypt_skey(bag, password, length);
        const PKCS8_PRIV_KEY_INFO *key = kind == NID_keyBag ? PKCS12_SAFEBAG_get0_p8inf(bag) : decrypted;
        char *name = PKCS12_get_friendlyname(bag);
        each(context, key ? EVP_PKCS82PKEY(key) : NULL, name);
        OPENSSL_free(name);
        PKCS8_PRIV_KEY_INFO_free(decrypted);
    }
}

// Calls `each` with every private key of a store. Whether all of the store could be read; a part that could not
// (often certificates, in a cipher that OpenSSL has given up) is left out.
static inline bool cossl_each_key(
    const PKCS12 *store, const char *password, int length, void *context, cossl_key_receiver *each) {
    STACK_OF(PKCS7) *safes = PKCS12_unpack_authsafes(store);
    bool whole = safes != NULL;
    for (int i = 0; i < sk_PKCS7_num(safes); i++) {
        PKCS7 *safe = sk_PKCS7_value(safes, i);
        STACK_OF(PKCS12_SAFEBAG) *bags = NULL;
        if (PKCS7_type_is_data(safe)) bags = PKCS12_unpack_p7data(safe);
        if (PKCS7_type_is_encrypted(safe)) bags = PKCS12_unpack_p7encdata(safe, password, length);
        whole = whole && bags != NULL;
        cossl_each_key_of_bags(bags, password, length, context, each);
        sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
    }
    sk_PKCS7_pop_free(safes, PKCS7_free);
    return whole;
}

#endif
