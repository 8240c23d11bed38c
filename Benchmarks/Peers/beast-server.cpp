// A second server, to show that the numbers do not depend on the first: Boost.Beast, synchronous, a thread for each
// connection. `beast-server [--tls CERTIFICATE KEY]`, with the same paths as the first.

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <unistd.h>
#include <vector>

#include "measure.h"

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using tcp = net::ip::tcp;

static net::io_context io;
static std::optional<net::ssl::context> tls;

static const std::uint8_t *message(std::size_t number, std::size_t size) {
    return bench_payload(number % bench_ring(size), size);
}

// The ring's messages as they go over the wire, for as long as it takes to fill a write.
static std::vector<std::uint8_t> frames(std::size_t size) {
    std::vector<std::uint8_t> made;
    for (std::size_t number = 0; number % bench_ring(size) != 0 || made.size() < 1 << 18; number++) {
        made.push_back(0x82);
        int extra = size < 126 ? 0 : size < 65536 ? 2 : 8;
        made.push_back(static_cast<std::uint8_t>(extra == 0 ? size : extra == 2 ? 126 : 127));
        for (int at = extra - 1; at >= 0; at--) made.push_back(static_cast<std::uint8_t>(size >> 8 * at));
        made.insert(made.end(), message(number, size), message(number, size) + size);
    }
    return made;
}

template <class Stream> static void blast(websocket::stream<Stream> &stream, const std::string &path, bool compressed) {
    std::size_t size, count;
    if (std::sscanf(path.c_str(), "/blast/%zu/%zu", &size, &count) != 2 || size > 1 << 20) return;
    auto block = frames(size);
    std::size_t frame = size + (size < 126 ? 2 : size < 65536 ? 4 : 10), many = block.size() / frame;
    for (beast::flat_buffer buffer;; buffer.clear()) {
        stream.read(buffer);
        auto wanted = std::strtoull(beast::buffers_to_string(buffer.cdata()).c_str(), nullptr, 10);
        std::size_t left = wanted ? wanted : count;
        if (compressed)
            for (std::size_t number = 0; number < left; number++)
                stream.write(net::const_buffer(message(number, size), size));
        else
            // Past Beast's framing, which makes a system call of each message.
            for (; left > 0; left -= std::min(left, many))
                net::write(stream.next_layer(), net::buffer(block.data(), std::min(left, many) * frame));
    }
}

template <class Stream> static void exchange(websocket::stream<Stream> &stream, bool sinks) {
    std::size_t messages = 0, bytes = 0;
    for (beast::flat_buffer buffer;; buffer.clear()) {
        stream.read(buffer);
        if (!sinks) {
            stream.text(stream.got_text());
            stream.write(buffer.cdata());
        } else if (stream.got_text()) {
            stream.text(true);
            stream.write(net::buffer(std::to_string(messages) + " " + std::to_string(bytes)));
            messages = bytes = 0;
        } else {
            messages++;
            bytes += buffer.size();
        }
    }
}

template <class Stream> static void serve(Stream &layer, websocket::stream<Stream> &stream) {
    beast::flat_buffer buffer;
    http::request<http::string_body> request;
    http::read(layer, buffer, request);
    websocket::permessage_deflate deflate;
    deflate.server_enable = true;
    deflate.compLevel = 1;
    stream.set_option(deflate);
    stream.auto_fragment(false);
    stream.binary(true);
    stream.read_message_max(64 << 20);
    stream.write_buffer_bytes(1 << 16);
    stream.accept(request);
    std::string path(request.target());
    bool compressed = request.find(http::field::sec_websocket_extensions) != request.end();
    if (path.rfind("/blast/", 0) == 0) blast(stream, path, compressed);
    else exchange(stream, path == "/sink");
}

static void serve(tcp::socket socket) try {
    socket.set_option(tcp::no_delay(true));
    if (tls) {
        websocket::stream<beast::ssl_stream<tcp::socket>> stream(std::move(socket), *tls);
        stream.next_layer().handshake(net::ssl::stream_base::server);
        serve(stream.next_layer(), stream);
    } else {
        websocket::stream<tcp::socket> stream(std::move(socket));
        serve(stream.next_layer(), stream);
    }
} catch (const std::exception &) {
    // The client went away.
}

int main(int argc, char **argv) {
    bench_raise_limits();
    if (argc == 4 && std::string(argv[1]) == "--tls") {
        tls.emplace(net::ssl::context::tls_server);
        tls->use_certificate_chain_file(argv[2]);
        tls->use_private_key_file(argv[3], net::ssl::context::pem);
        SSL_CTX_set_ciphersuites(tls->native_handle(), "TLS_AES_128_GCM_SHA256");
        SSL_CTX_set_session_id_context(tls->native_handle(), reinterpret_cast<const unsigned char *>("bench"), 5);
    }
    tcp::acceptor acceptor(io, {net::ip::address_v4::loopback(), 0});
    std::cout << acceptor.local_endpoint().port() << std::endl;
    std::thread([] {
        char byte;
        while (read(STDIN_FILENO, &byte, 1) > 0) {}
        std::_Exit(0);
    }).detach();
    for (;;) std::thread([](tcp::socket socket) { serve(std::move(socket)); }, acceptor.accept()).detach();
}
