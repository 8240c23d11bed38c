"""Makes one PKCS#12 store of several, which no common command does: all their keys are in it.

    pkcs12_join.py PASSWORD OUTPUT STORE...

Their contents stay encrypted as they are, for a password that may be another; the seal around them (RFC 7292,
section 4) is made anew, with HMAC-SHA-256.
"""

import hashlib
import hmac
import os
import sys

ITERATIONS = 2048


def parse(data, offset=0):
    """Tag, beginning of the contents, end."""
    tag, length, start = data[offset], data[offset + 1], offset + 2
    if length & 0x80:
        count = length & 0x7F
        length = int.from_bytes(data[start : start + count], "big")
        start += count
    return tag, start, start + length


def children(data):
    _, offset, end = parse(data)
    while offset < end:
        after = parse(data, offset)[2]
        yield data[offset:after]
        offset = after


def contents(data):
    _, start, end = parse(data)
    return data[start:end]


def der(tag, *parts):
    body = b"".join(parts)
    if len(body) < 0x80:
        return bytes([tag, len(body)]) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def mac_key(password, salt):
    """RFC 7292, appendix B.2, with SHA-256: u = 32, v = 64, one round, for its result is 32 bytes."""
    text = (password + "\0").encode("utf-16-be")

    def filled(value):
        return (value * 64)[: 64 * ((len(value) + 63) // 64)]

    value = bytes([3] * 64) + filled(salt) + filled(text)
    for _ in range(ITERATIONS):
        value = hashlib.sha256(value).digest()
    return value


def main():
    password, output, stores = sys.argv[1], sys.argv[2], sys.argv[3:]
    safes = []
    for store in stores:
        with open(store, "rb") as file:
            content_info = list(children(file.read()))[1]
        octets = contents(list(children(content_info))[1])
        safes += children(contents(octets))
    joined = der(0x30, *safes)
    salt = os.urandom(8)
    mac = hmac.new(mac_key(password, salt), joined, "sha256").digest()
    sha256 = der(0x30, bytes.fromhex("0609608648016503040201"), der(0x05))
    seal = der(0x30, der(0x30, sha256, der(0x04, mac)), der(0x04, salt), der(0x02, ITERATIONS.to_bytes(2, "big")))
    data = der(0x30, bytes.fromhex("06092a864886f70d010701"), der(0xA0, der(0x04, joined)))
    with open(output, "wb") as file:
        file.write(der(0x30, der(0x02, b"\x03"), data, seal))


main()
