// What a build of libwebsockets has to have, looked at before its other headers ask for those of a library that may not be there.

#ifndef CLIBWEBSOCKETS_REQUIRED_H
#define CLIBWEBSOCKETS_REQUIRED_H

#include <lws_config.h>
#if LWS_LIBRARY_VERSION_NUMBER < 4001000
#error "swift-lws needs libwebsockets 4.1 or newer"
#elif !defined(LWS_WITH_TLS) || defined(LWS_WITH_GNUTLS) || defined(LWS_WITH_MBEDTLS) || defined(LWS_WITH_BEARSSL) \
    || defined(LWS_WITH_SCHANNEL) || defined(LWS_WITH_OPENHITLS) || defined(LWS_WITH_BORINGSSL) || defined(LWS_WITH_AWSLC) \
    || defined(USE_WOLFSSL) || defined(USE_OLD_CYASSL)
#error "swift-lws needs a libwebsockets that was built with OpenSSL, and this one has another TLS library, or none. \
Packages with OpenSSL: libwebsockets-dev (Debian, Ubuntu), libwebsockets-devel (Fedora), libwebsockets (Arch, Homebrew). \
Your own build: cmake -DLWS_WITH_SSL=ON -DLWS_WITH_GNUTLS=OFF -DLWS_WITH_MBEDTLS=OFF, and for 5.0 -DLWS_WITH_HTTP3=OFF"
#elif !defined(LWS_WITH_NETWORK) || !defined(LWS_WITH_CLIENT) || !defined(LWS_WITH_SERVER) || !defined(LWS_ROLE_H1) \
    || !defined(LWS_ROLE_WS) || !defined(LWS_ROLE_RAW_FILE) || !defined(LWS_CLIENT_HTTP_PROXYING) \
    || !defined(LWS_WITH_CUSTOM_HEADERS) || (LWS_LIBRARY_VERSION_NUMBER >= 5000000 && !defined(LWS_WITH_IPV4))
#error "swift-lws needs a libwebsockets with WebSockets, client and server, IPv4, files on the loop, HTTP proxies and custom headers, \
as its own defaults have it, and this one was built without some of them. Your own build: cmake -DLWS_ROLE_WS=ON \
-DLWS_WITHOUT_CLIENT=OFF -DLWS_WITHOUT_SERVER=OFF -DLWS_ROLE_RAW_FILE=ON -DLWS_CLIENT_HTTP_PROXYING=ON \
-DLWS_WITH_CUSTOM_HEADERS=ON, and for 5.0 -DLWS_IPV4=ON"
#else
#define CLIBWEBSOCKETS_IS_USABLE
#endif

#endif
