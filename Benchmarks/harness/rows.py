"""What is measured: the rows of the table, each with the peers that can do it."""

from dataclasses import dataclass

KIB = 1024
MIB = KIB * KIB
SIZES = (16, 64, KIB, 64 * KIB, MIB)

LWS, RAW, SYNC, EVENTS, BEAST = "swift-lws", "raw-lws", "nio", "nio-events", "beast"
RAW_UV = "raw-lws-uv"
WEBSOCKETS, WEBSOCKET_CLIENT = "py-websockets", "py-websocket-client"
COMPILED = (LWS, RAW, SYNC, EVENTS, BEAST)
ALL = (*COMPILED, WEBSOCKETS, WEBSOCKET_CLIENT)
BATCH = "-batch"  # ends the names of peers that send 64 messages in one call
COMPRESSING = (LWS, RAW, BEAST, WEBSOCKETS)


@dataclass(frozen=True)
class Row:
    name: str
    workload: str
    size: int = 64
    arguments: tuple = ()
    peers: tuple = ALL
    tls: bool = False
    rounds: int = 0     # in the short run; 0: as many as any row
    count: int = 0      # of messages; 0: as many as fill the time of one measurement
    quick: bool = False  # a row of the short run: those that the library's goals are about
    counts_calls: bool = False


def peers_of(row, quick, has_uv):
    """Without Python's and the one on libuv in the short run: no goal is about them."""
    return [peer for peer in row.peers
            if not (quick and peer.startswith("py-")) and (peer != RAW_UV or has_uv and not quick)]


def label(size):
    for unit, name in ((MIB, "MiB"), (KIB, "KiB")):
        if size >= unit:
            return f"{size // unit}{name}"
    return str(size)


def plain_rows():
    for size in SIZES[1:]:
        yield Row(f"roundtrip/{label(size)}", "roundtrip", size, quick=size == 64, peers=(*ALL, RAW_UV))
    for workload in ("receive", "send"):
        for size in SIZES:
            quick = size < MIB and (size > 16 or workload == "receive")
            yield Row(f"{workload}/{label(size)}", workload, size, quick=quick,
                      peers=(*(ALL if size > 16 or workload == "receive" else COMPILED), RAW_UV))
    yield Row("batch/64", "send", 64, quick=True, peers=(LWS + BATCH, LWS, RAW, SYNC + BATCH, EVENTS + BATCH))
    for clients in (8, 64):
        yield Row(f"clients/{clients}", "roundtrip", 64, ("--clients", clients), quick=clients == 64,
                  peers=(*ALL, RAW_UV))


def secure_rows():
    for workload in ("roundtrip", "receive", "send"):
        for size in (64, KIB, 64 * KIB):
            yield Row(f"wss/{workload}/{label(size)}", workload, size, tls=True, peers=COMPILED, quick=size == 64)


def compressed_rows():
    for workload in ("roundtrip", "receive", "send"):
        for size in (64, KIB, 64 * KIB):
            yield Row(f"deflate/{workload}/{label(size)}", workload, size, ("--compress",),
                      peers=COMPRESSING, quick=size == KIB)


def connection_rows():
    for tls in (False, True):
        yield Row("connect/wss" if tls else "connect/ws", "connect", tls=tls,
                  peers=(LWS, RAW, SYNC, BEAST, WEBSOCKET_CLIENT) + (() if tls else (WEBSOCKETS,)))
    yield Row("connect/wss-resumed", "connect", arguments=("--resume",), tls=True, peers=(LWS, BEAST))
    # Opening 10,000 takes seconds: the short run has one round of that.
    for clients in (1, 1000, 10000):
        yield Row(f"idle/{clients}", "idle", 64, ("--clients", clients), peers=(LWS, RAW, SYNC, BEAST),
                  count=200 if clients > 1000 else 2000, quick=clients == 10000, rounds=1)


def turn_rows():
    """Of a client beside one on the same loop that receives messages of this size without pause."""
    for size in (16, 64 * KIB):
        yield Row(f"beside/{label(size)}", "beside", size, peers=(LWS,), count=5000)


def call_rows():
    for workload in ("roundtrip", "receive", "send"):
        yield Row(f"calls/{workload}/64", workload, 64, peers=(LWS, RAW, SYNC, EVENTS, BEAST), count=20000,
                  quick=workload != "roundtrip", counts_calls=True)


def all_rows():
    yield from plain_rows()
    yield from secure_rows()
    yield from compressed_rows()
    yield from connection_rows()
    yield from turn_rows()
    yield from call_rows()


# Measured again with the second server.
CHECKED = ("roundtrip/64", "roundtrip/64KiB", "receive/1KiB", "receive/64KiB", "send/64", "send/64KiB")
CHECKED_PEERS = (LWS, RAW, EVENTS, BEAST)
