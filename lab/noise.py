# Sends frames out of an interface again and again, as a switch port does that forwards nothing.
# usage: noise.py INTERFACE HEX...
import socket
import sys
import time

sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
sender.bind((sys.argv[1], 0))
frames = [bytes.fromhex(text) for text in sys.argv[2:]]
while True:
    for frame in frames:
        sender.send(frame)
    time.sleep(0.1)
