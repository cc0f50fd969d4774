"""Sends broken packets of IP protocol 112 out of an interface: flood.py INTERFACE SEED COUNT HEX...

Each HEX is a real Ethernet frame with an advert, to be cut and mutated. The frames leave in small
bursts; the kinds take turns, so that a run has all of them. Prints how many were sent.
"""

import random
import socket
import struct
import sys
import time

GROUP = bytes([224, 0, 0, 18])
BURST = 50
PAUSE_S = 0.01


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip_header(source, length, ttl=255, fragment=0x4000, first=0x45, protocol=112, options=b""):
    head = struct.pack("!BBHHHBBH", first, 0x10, length, 1, fragment, ttl, protocol, 0)
    head += source + GROUP + options
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:]


def packet(source, payload, **fields):
    return ip_header(source, 20 + len(payload), **fields) + payload


def with_options(source, payload):
    head = ip_header(source, 24 + len(payload), first=0x46, options=bytes([1, 1, 1, 0]))
    return head + payload


def resealed(payload):
    """The payload with the checksum of a CARP header put right."""
    head = payload[:6] + b"\0\0" + payload[8:36]
    return head[:6] + struct.pack("!H", checksum(head)) + head[8:] + payload[36:]


def broken(rng, frames, number):
    """One broken IPv4 packet; number chooses the kind."""
    real = rng.choice(frames)[14:70]
    carp = real[20:]
    source = bytes([10, 77, rng.randrange(256), rng.randrange(3, 255)])
    noise = rng.randbytes(rng.randrange(36, 1480))
    kind = number % 12
    if kind == 0:
        return packet(source, noise)
    if kind == 1:
        return packet(source, carp[: rng.randrange(36)])
    if kind == 2:  # A bit of what the checksum covers, and so of all that counts.
        at = rng.randrange(36)
        flipped = bytes([carp[at] ^ (1 << rng.randrange(8))])
        return packet(source, carp[:at] + flipped + carp[at + 1 :])
    if kind == 3:  # Version, type, vhid, counter or digest changed and the checksum put right.
        at = rng.choice([0, 1, *range(8, 36)])
        flipped = carp[:at] + bytes([carp[at] ^ (1 << rng.randrange(4, 8))]) + carp[at + 1 :]
        return packet(source, resealed(flipped))
    if kind == 4:
        return packet(source, carp, ttl=rng.randrange(255))
    if kind == 5:
        return packet(source, carp, fragment=rng.choice([0x2000, 0x0001, 0x1FFF]))
    if kind == 6:  # Bytes that look like VRRP version 2 and 3.
        return packet(source, bytes([rng.choice([0x21, 0x31]), 7, 100, 1, 0, 1]) + noise[:14])
    if kind == 7:
        return with_options(source, resealed(b"\x21\x07" + noise[:34]))
    if kind == 8:  # A length in the header that is not that of the packet.
        return ip_header(source, rng.randrange(20, 1500)) + noise
    if kind == 9:
        return rng.randbytes(9) + b"\x70" + rng.randbytes(rng.randrange(46, 1490))
    if kind == 10:
        return packet(source, resealed(b"\x21\x07" + noise))
    return packet(bytes([10, 77, 0, rng.choice([1, 2])]), carp)


def main():
    interface, seed, count, *frames = sys.argv[1:]
    rng = random.Random(int(seed))
    frames = [bytes.fromhex(frame) for frame in frames]
    out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    out.bind((interface, 0))
    ethernet = bytes.fromhex("01005e0000120200000000ee0800")
    for number in range(int(count)):
        out.send((ethernet + broken(rng, frames, number))[:1514].ljust(60, b"\0"))
        if number % BURST == 0:
            time.sleep(PAUSE_S)
    print(f"sent {count}", flush=True)


main()
