# Sends one packet of IP protocol 112 to the group of CARP by a raw socket, as a daemon does that
# sends no frames, and prints "sent", or the name of the error.
# usage: raw-send.py INTERFACE ADDRESS
import errno
import socket
import sys

interface, address = sys.argv[1:]
sender = socket.socket(socket.AF_INET, socket.SOCK_RAW, 112)
sender.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode() + b"\0")
sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
# IP_RECVERR: without it the kernel keeps the error to itself.
sender.setsockopt(socket.IPPROTO_IP, 11, 1)
try:
    sender.sendto(bytes(36), ("224.0.0.18", 0))
    print("sent")
except OSError as error:
    print(errno.errorcode[error.errno])
