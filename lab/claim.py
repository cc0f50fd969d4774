# Says by ARP that an address is its own, or asks for it, again and again, every 10 ms.
# usage: claim.py INTERFACE request|reply|answer|question|probe ADDRESS MAC TIMES
import socket
import struct
import sys
import time

interface, form, address, mac, times = sys.argv[1:6]
ETHER = bytes.fromhex(mac.replace(":", ""))
BROADCAST = b"\xff" * 6
OTHER = socket.inet_aton("10.77.0.250")
NOBODY = bytes(4)
OWN = socket.inet_aton(address)
# Operation, sender and target address.
operation, sender_ip, target_ip = {
    "request": (1, OWN, OWN),
    "reply": (2, OWN, OWN),
    "answer": (2, OWN, OTHER),
    "question": (1, OWN, OTHER),
    "probe": (1, NOBODY, OWN),
}[form]
arp = struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation)
arp += ETHER + sender_ip + (ETHER if operation == 2 else bytes(6)) + target_ip
frame = BROADCAST + ETHER + struct.pack("!H", 0x0806) + arp
sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
sender.bind((interface, 0))
for _ in range(int(times)):
    sender.send(frame)
    time.sleep(0.01)
