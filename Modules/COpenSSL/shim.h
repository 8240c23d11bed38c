// The C side of the COpenSSL module: OpenSSL, with functions for what its headers define as macros, which Swift cannot
// import, and for what differs between its releases.

#ifndef COPENSSL_SHIM_H
#define COPENSSL_SHIM_H

// As in CLibWebSockets: the system's headers belong to Swift's module for them.
#if defined(__linux__) && __has_feature(modules)
#pragma clang module import SwiftGlibc
#endif

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include "pkcs12.h"

#if OPENSSL_VERSION_NUMBER < 0x10101000L
#error "OpenSSL 1.1.1 or newer is required"
#endif

// MARK: - Contexts

static inline bool cossl_set_protocol_range(SSL_CTX *context, int lowest, int highest) {
    return SSL_CTX_set_min_proto_version(context, lowest) == 1 && SSL_CTX_set_max_proto_version(context, highest) == 1;
}

// Sessions are handed to the callback and kept nowhere else.
static inline void cossl_hand_over_sessions(SSL_CTX *context) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
}

// What lws sets on the contexts that it makes itself (openssl-client.c: lws_tls_client_create_vhost_context).
// And without going on reading by itself after a message that is no data, of which a server may send any number.
static inline void cossl_set_modes(SSL_CTX *context) {
    SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_mode(context, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
}

// The file that SSL_CTX_set_default_verify_paths reads (crypto/x509/by_file.c: by_file_ctrl); getenv, as in Swift, is the
// closest to the function that OpenSSL has for it.
static inline const char *cossl_system_roots(void) {
    const char *file = getenv(X509_get_default_cert_file_env());
    return file != NULL ? file : X509_get_default_cert_file();
}

static inline bool cossl_add_chain_certificate(SSL_CTX *context, X509 *certificate) {
    return SSL_CTX_add1_chain_cert(context, certificate) == 1;
}

static inline void cossl_set_status_callback(SSL_CTX *context, int (*callback)(SSL *, void *)) {
    SSL_CTX_set_tlsext_status_cb(context, callback);
}

static const uint64_t cossl_no_tls1 = SSL_OP_NO_TLSv1;
static const uint64_t cossl_no_tls11 = SSL_OP_NO_TLSv1_1;
static const uint64_t cossl_no_tls12 = SSL_OP_NO_TLSv1_2;
static const uint64_t cossl_no_renegotiation = SSL_OP_NO_RENEGOTIATION;
static const uint64_t cossl_no_compression = SSL_OP_NO_COMPRESSION;

// The options are 64 bits wide from 3.0 on.
static inline void cossl_set_options(SSL_CTX *context, uint64_t options) {
    SSL_CTX_set_options(context, options);
}

// MARK: - Connections

static inline bool cossl_set_server_name(SSL *ssl, const char *name) {
    // The macro drops the const.
    return SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, (void *)name) == 1;
}

static inline void cossl_ask_for_status(SSL *ssl) {
    SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp);
}

static const int cossl_both_ways = SHUT_RDWR; // an enumerator with glibc, a macro on Darwin

// The bytes of the stapled OCSP response; 0 where there is none.
static inline long cossl_stapled_response(SSL *ssl, const unsigned char **bytes) {
    long length = SSL_get_tlsext_status_ocsp_resp(ssl, bytes);
    return length > 0 && *bytes != NULL ? length : 0;
}

static inline int cossl_new_connection_index(CRYPTO_EX_free *free) {
    return CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL, 0, NULL, NULL, NULL, free);
}

static inline int cossl_new_context_index(void) {
    return CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, NULL, NULL, NULL, NULL);
}

// MARK: - Errors

// The reason alone, as the SSL_R_ constants have it: ERR_GET_REASON is a macro in 1.1.1.
static inline int cossl_reason(unsigned long code) { return ERR_GET_REASON(code); }
static inline bool cossl_is_of_ssl(unsigned long code) { return ERR_GET_LIB(code) == ERR_LIB_SSL; }
static inline bool cossl_is_shortage(unsigned long code) { return ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE; }
static inline bool cossl_is_no_start_line(unsigned long code) {
    return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

// What reading from a server that ended TCP gives; 1.1.1 has no error for it.
#if defined(SSL_R_UNEXPECTED_EOF_WHILE_READING)
static const int cossl_unexpected_end = SSL_R_UNEXPECTED_EOF_WHILE_READING;
#else
static const int cossl_unexpected_end = -1;
#endif

// MARK: - Stacks, whose functions are macros

static inline int cossl_certificate_count(const STACK_OF(X509) *stack) { return stack ? sk_X509_num(stack) : 0; }
static inline X509 *cossl_certificate_at(const STACK_OF(X509) *stack, int index) { return sk_X509_value(stack, index); }
static inline void cossl_free_certificates(STACK_OF(X509) *stack) { sk_X509_pop_free(stack, X509_free); }

static inline int cossl_cipher_count(const STACK_OF(SSL_CIPHER) *stack) {
    return stack ? sk_SSL_CIPHER_num(stack) : 0;
}
static inline const SSL_CIPHER *cossl_cipher_at(const STACK_OF(SSL_CIPHER) *stack, int index) {
    return sk_SSL_CIPHER_value(stack, index);
}
static inline void cossl_free_ciphers(STACK_OF(SSL_CIPHER) *stack) { sk_SSL_CIPHER_free(stack); }

// Calls `each` with every alternative name of a certificate: its kind (GEN_DNS, GEN_IPADD, GEN_URI, GEN_EMAIL; others are
// left out) and its bytes.
static inline void cossl_each_alternative_name(
    X509 *certificate, void *context, void (*each)(void *context, int kind, const unsigned char *bytes, int count)) {
    GENERAL_NAMES *names = (GENERAL_NAMES *)X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_DNS && name->type != GEN_IPADD && name->type != GEN_URI && name->type != GEN_EMAIL) continue;
        // The four are all of them ASN1_STRINGs, under different names in the union.
        const ASN1_STRING *value = name->d.ia5;
        each(context, name->type, ASN1_STRING_get0_data(value), ASN1_STRING_length(value));
    }
    GENERAL_NAMES_free(names);
}

// MARK: - Keys

// A function of another name in 3.0, where this one is a macro.
static inline int cossl_key_kind(const EVP_PKEY *key) { return EVP_PKEY_base_id(key); }

// The curve of an EC key; NID_undef for one without a name, and for keys of other kinds.
static inline int cossl_curve(const EVP_PKEY *key) {
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    char name[64];
    size_t length = 0;
    if (EVP_PKEY_get_group_name(key, name, sizeof(name), &length) != 1) return NID_undef;
    int curve = OBJ_sn2nid(name);
    return curve != NID_undef ? curve : EC_curve_nist2nid(name);
#else
    if (EVP_PKEY_base_id(key) != EVP_PKEY_EC) return NID_undef;
    const EC_KEY *ec = EVP_PKEY_get0_EC_KEY((EVP_PKEY *)key);
    return ec ? EC_GROUP_get_curve_name(EC_KEY_get0_group(ec)) : NID_undef;
#endif
}

// Both numbers of an ECDSA signature in DER, one after the other, each of `size` bytes.
static inline bool cossl_plain_ecdsa(const unsigned char *der, long length, unsigned char *plain, int size) {
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, length);
    if (!signature) return false;
    bool fits = BN_bn2binpad(ECDSA_SIG_get0_r(signature), plain, size) == size
        && BN_bn2binpad(ECDSA_SIG_get0_s(signature), plain + size, size) == size;
    ECDSA_SIG_free(signature);
    return fits;
}

// MARK: - Records

// While the gate is closed the connection reads nothing more from its socket: what it has decrypted already, one record at
// the most, is all that there is to read.
static inline long cossl_gate(BIO *bio, int operation, const char *data, size_t length, int argument, long number,
                              int result, size_t *processed) {
    (void)data; (void)length; (void)argument; (void)number; (void)processed;
    if (operation != BIO_CB_READ) return result;
    BIO_set_retry_read(bio);
    return -1;
}
static inline void cossl_close_gate(SSL *ssl) { BIO_set_callback_ex(SSL_get_rbio(ssl), cossl_gate); }
static inline void cossl_open_gate(SSL *ssl) { BIO_set_callback_ex(SSL_get_rbio(ssl), NULL); }

// OpenSSL writes with `write` (crypto/bio/bss_sock.c), which raises SIGPIPE where the peer has gone. Here it sends as lws does,
// without a signal.
//
// What cannot be written any more, because the peer has reset the connection, is dropped: who is told of that reads no more,
// and loses what came before. Where the system lacks the memory, the connection would go on, and must not without that: it ends
// with what has come so far. A failure is never told (ReadGate+Pongs: lws may be in the midst of reading).
static inline int cossl_send(BIO *bio, const char *bytes, int count) {
    BIO_clear_retry_flags(bio);
#if defined(MSG_NOSIGNAL)
    const int flags = MSG_NOSIGNAL;
#else
    const int flags = 0; // as clws_send
#endif
    ssize_t sent;
    do sent = send((int)(intptr_t)BIO_get_data(bio), bytes, (size_t)count, flags);
    while (sent < 0 && errno == EINTR); // nothing would tell when to try again
    if (sent > 0) return (int)sent;
    if (BIO_sock_should_retry((int)sent)) {
        BIO_set_retry_write(bio);
        return -1;
    }
    if (sent < 0 && (errno == ENOBUFS || errno == ENOMEM)) shutdown((int)(intptr_t)BIO_get_data(bio), SHUT_RDWR);
    BIO_set_callback_arg(bio, (char *)bio);
    return count;
}
static inline long cossl_control_sender(BIO *bio, int command, long number, void *argument) {
    (void)bio; (void)number; (void)argument;
    return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP ? 1 : 0;
}
static inline BIO_METHOD *cossl_sending(void) {
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket without signals");
    if (method) {
        BIO_meth_set_write(method, cossl_send);
        BIO_meth_set_ctrl(method, cossl_control_sender);
    }
    return method;
}
// Has a connection write so. To be called before it has written anything.
static inline bool cossl_send_by(SSL *ssl, const BIO_METHOD *method) {
    BIO *bio = method ? BIO_new(method) : NULL;
    if (!bio) return false;
    BIO_set_data(bio, (void *)(intptr_t)SSL_get_fd(ssl));
    BIO_set_init(bio, 1);
    SSL_set0_wbio(ssl, bio);
    return true;
}
// Whether something was dropped.
static inline bool cossl_is_broken(SSL *ssl) { return BIO_get_callback_arg(SSL_get_wbio(ssl)) != NULL; }

// MARK: - Names

// The form of RFC 2253, with what is not ASCII as it is, in UTF-8.
static const unsigned long cossl_name_form = XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;

// MARK: - Memory

static inline BIO *cossl_memory_writer(void) { return BIO_new(BIO_s_mem()); }
static inline long cossl_memory_contents(BIO *bio, char **bytes) { return BIO_get_mem_data(bio, bytes); }
static inline void cossl_free(void *bytes) { OPENSSL_free(bytes); }

#endif
