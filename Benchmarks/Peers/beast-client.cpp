// The fastest blocking client we know: Boost.Beast, synchronous, a thread for each client.

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "measure.h"

namespace net = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using tcp = net::ip::tcp;

static bench_options options;
static net::io_context io;
static std::optional<net::ssl::context> tls;
static SSL_SESSION *session; // of the connection before

static int keep_session(SSL *, SSL_SESSION *made) {
    if (session) SSL_SESSION_free(session);
    session = made;
    return 1;
}

static bool is(const char *workload) { return std::string(options.workload) == workload; }

template <class Stream> struct Client {
    websocket::stream<Stream> stream;
    beast::flat_buffer buffer;

    static websocket::stream<Stream> make() {
        if constexpr (std::is_same_v<Stream, tcp::socket>) return websocket::stream<Stream>(io);
        else return websocket::stream<Stream>(io, *tls);
    }

    Client() : stream(make()) {
        auto &socket = beast::get_lowest_layer(stream);
        socket.connect({net::ip::make_address(options.host), static_cast<unsigned short>(options.port)});
        socket.set_option(tcp::no_delay(true));
        if constexpr (!std::is_same_v<Stream, tcp::socket>) {
            auto &layer = stream.next_layer();
            if (options.resume && session) SSL_set_session(layer.native_handle(), session);
            X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(layer.native_handle()), options.host);
            layer.handshake(net::ssl::stream_base::client);
        }
        websocket::permessage_deflate deflate;
        deflate.client_enable = options.compress;
        deflate.compLevel = 1;
        stream.set_option(deflate);
        stream.auto_fragment(false);
        stream.binary(true);
        stream.read_message_max(64 << 20);
        // Its default, 4 KiB, is what it masks at a time and hands to the system: too little for large messages.
        if (options.size > 4096) stream.write_buffer_bytes(1 << 16);
        stream.handshake(options.host, options.path);
    }

    void write(std::size_t number) {
        stream.write(net::const_buffer(bench_payload(number, options.size), options.size));
    }

    void read() {
        buffer.clear();
        stream.read(buffer);
    }

    void read(std::size_t number) {
        read();
        auto data = buffer.cdata();
        if (!bench_check(number, static_cast<const std::uint8_t *>(data.data()), data.size(), options.size))
            bench_fail("wrong content");
    }

    void write_text(const std::string &text) {
        stream.text(true);
        stream.write(net::buffer(text));
        stream.binary(true);
    }

    void run(std::size_t count) {
        if (is("receive")) {
            write_text(std::to_string(count));
            for (std::size_t at = 0; at < count; at++) read(at % bench_ring(options.size));
        } else if (is("send")) {
            for (std::size_t at = 0; at < count; at++) write(at);
            write_text("?");
            read();
            char expected[64];
            bench_report(expected, sizeof expected, count, options.size);
            auto report = beast::buffers_to_string(buffer.cdata());
            if (options.compress ? std::stoul(report) != count : report != expected)
                bench_fail("the server counted something else");
        } else {
            for (std::size_t at = 0; at < count; at++) {
                write(at);
                read(at);
            }
        }
    }

    // Over TLS a close, and with it the reading of what the server sent for sessions to be resumed.
    void close() {
        if (options.resume) {
            beast::error_code ignored;
            stream.close(websocket::close_code::normal, ignored);
        }
    }
};

template <class Stream> static void connect() {
    for (std::size_t at = 0; at < options.warmup + options.count; at++) {
        if (at == options.warmup) bench_start();
        double began = bench_now();
        Client<Stream> client;
        bench_sample(bench_now() - began);
        if constexpr (!std::is_same_v<Stream, tcp::socket>)
            if (at > 0 && options.resume != (SSL_session_reused(client.stream.next_layer().native_handle()) == 1))
                bench_fail("resumption");
        client.close();
    }
    bench_stop();
}

template <class Stream> static void run() {
    if (is("connect")) return connect<Stream>();
    bench_note("memory_before", static_cast<double>(bench_memory()));
    double began = bench_now();
    std::vector<std::unique_ptr<Client<Stream>>> clients;
    for (std::size_t at = 0; at < options.clients; at++) clients.push_back(std::make_unique<Client<Stream>>());
    bench_note("seconds_open", bench_now() - began);
    bench_note("memory_open", static_cast<double>(bench_memory()));
    bench_note("threads_open", static_cast<double>(bench_threads()));
    if (options.clients == 1 || is("idle")) {
        clients.back()->run(options.warmup);
        bench_start();
        clients.back()->run(options.count);
        bench_stop();
        return;
    }
    auto work = [](std::size_t index, bool measured, void *context) {
        auto &clients = *static_cast<std::vector<std::unique_ptr<Client<Stream>>> *>(context);
        try {
            clients[index]->run(measured ? options.count : options.warmup);
        } catch (const std::exception &error) {
            bench_fail(error.what());
        }
    };
    bench_in_threads(options.clients, work, &clients);
}

int main(int argc, char **argv) {
    options = bench_parse(argc, argv);
    bench_raise_limits();
    try {
        if (options.tls) {
            tls.emplace(net::ssl::context::tls_client);
            tls->load_verify_file(options.ca);
            tls->set_verify_mode(net::ssl::verify_peer);
            SSL_CTX_set_session_cache_mode(tls->native_handle(), SSL_SESS_CACHE_CLIENT);
            SSL_CTX_sess_set_new_cb(tls->native_handle(), keep_session);
            run<beast::ssl_stream<tcp::socket>>();
        } else run<tcp::socket>();
    } catch (const std::exception &error) {
        bench_fail(error.what());
    }
    bool all = options.clients > 1 && !is("connect") && !is("idle");
    bench_print(&options, static_cast<double>(options.count) * static_cast<double>(all ? options.clients : 1));
}
