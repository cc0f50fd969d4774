"""Sends one frame again and again: storm.py INTERFACE PACKETS_PER_SECOND SECONDS HEX.

Prints a line when it has begun, and at the end how many were sent.
"""

import socket
import sys
import time

PAUSE_S = 0.005


def main():
    interface, rate, seconds, frame = sys.argv[1:]
    frame = bytes.fromhex(frame)
    out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    out.bind((interface, 0))
    start = time.monotonic()
    print("storm", flush=True)
    sent = 0
    while (now := time.monotonic() - start) < float(seconds):
        # What is due by now, so that a late turn is made up for.
        for _ in range(min(int(now * int(rate)) - sent, 5000)):
            out.send(frame)
            sent += 1
        time.sleep(PAUSE_S)
    print(f"sent {sent}", flush=True)


main()
