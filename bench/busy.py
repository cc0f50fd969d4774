"""A busy segment: busy.py INTERFACE PER_SECOND HEX... sends the frames in turn, until it is ended."""

import socket
import sys
import time

BURST_S = 0.002

interface, per_second = sys.argv[1], int(sys.argv[2])
frames = [bytes.fromhex(text) for text in sys.argv[3:]]
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind((interface, 0))
started = time.monotonic()
sent = 0
while True:
    due = int((time.monotonic() - started) * per_second)
    while sent < due:
        try:
            out.send(frames[sent % len(frames)])
        except OSError:
            time.sleep(BURST_S)
        sent += 1
    time.sleep(BURST_S)
