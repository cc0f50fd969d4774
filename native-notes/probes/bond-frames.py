# The listener and sender of bond-frames.sh: bond-frames.py HOST-NS SWITCH-NS idle SECONDS | kinds PORT
import ctypes, select, socket, struct, sys, time

host, switch, what, argument = sys.argv[1:5]
libc = ctypes.CDLL(None, use_errno=True)

def enter(name):
    with open(f'/run/netns/{name}') as f:
        if libc.setns(f.fileno(), 0) != 0:
            raise OSError(ctypes.get_errno(), 'setns')

def packet_socket(interface, protocol):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(protocol))
    s.bind((interface, protocol))
    return s

def counters():
    rows = (line.split(':') for line in open('/proc/thread-self/net/dev') if ':' in line)
    return {name.strip(): int(values.split()[1]) for name, values in rows}

def mac(text):
    return bytes.fromhex(text.replace(':', ''))

def own(interface):
    probe = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    probe.bind((interface, 0))
    return probe.getsockname()[4]

enter(switch)
sender = packet_socket(argument, 0) if what == 'kinds' else None
enter(host)
LISTEN = ['bond0', 'e0', 'e1']
ears = {packet_socket(name, 3): name for name in LISTEN}
anyone = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
ears[anyone] = 'unbound'

def hear(seconds, match=None):
    """Frames heard per socket and ethertype (frames we sent ourselves left out)."""
    heard, end = {}, time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        for s in select.select(list(ears), [], [], left)[0]:
            frame, (interface, _, kind, _, _) = s.recvfrom(2048)
            if kind == socket.PACKET_OUTGOING or (match and match not in frame):
                continue
            key = (ears[s], f'{frame[12:14].hex()}' + (f' from {interface}' if ears[s] == 'unbound' else ''))
            heard[key] = heard.get(key, 0) + 1
    return heard

def report(before, after, heard):
    print('  counted in rx_packets:', ', '.join(f'{n} +{after[n] - before[n]}' for n in LISTEN))
    for name in LISTEN + ['unbound']:
        seen = {k[1]: v for k, v in sorted(heard.items()) if k[0] == name}
        print(f'  AF_PACKET on {name:8}', seen if seen else 'nothing')

if what == 'idle':
    before = counters()
    heard = hear(float(argument))
    report(before, counters(), heard)
    sys.exit()

tag = b'carpd-probe-frame'
bond = own('bond0')
other = mac('02:00:00:00:00:99')
llc = lambda body: struct.pack('!H', len(body)) + body
KINDS = [
    ('LACPDU, 110 bytes', '01:80:c2:00:00:02', b'\x88\x09\x01\x01' + bytes(108 - len(tag)) + tag),
    ('LACPDU, cut short', '01:80:c2:00:00:02', b'\x88\x09\x01\x01' + bytes(20)),
    ('LLDP', '01:80:c2:00:00:0e', b'\x88\xcc'),
    ('STP BPDU', '01:80:c2:00:00:00', llc(b'\x42\x42\x03' + bytes(35))),
    ('802.3x pause', '01:80:c2:00:00:01', b'\x88\x08\x00\x01\x00\x00'),
    ('EAPOL', '01:80:c2:00:00:03', b'\x88\x8e'),
    ('CDP', '01:00:0c:cc:cc:cc', llc(b'\xaa\xaa\x03\x00\x00\x0c\x20\x00')),
    ('PVST+', '01:00:0c:cc:cc:cd', llc(b'\xaa\xaa\x03\x00\x00\x0c\x01\x0b')),
    ('loopback keepalive', bond.hex(':'), b'\x90\x00'),
    ('ARP broadcast', 'ff:ff:ff:ff:ff:ff', b'\x08\x06'),
    ('CARP multicast', '01:00:5e:00:00:12', b'\x08\x00'),
    ('IPv4 to our MAC', bond.hex(':'), b'\x08\x00'),
    ('IPv4 to another MAC', '02:00:00:00:00:77', b'\x08\x00'),
    ('ARP in VLAN 5', 'ff:ff:ff:ff:ff:ff', b'\x81\x00\x00\x05\x08\x06'),
]
print(f"  {'kind':24}{'rx_packets +':26}{'seen by AF_PACKET on'}")
for name, destination, rest in KINDS:
    hear(0.05)
    before = counters()
    for _ in range(5):
        sender.send((mac(destination) + other + rest + tag).ljust(60, b'\0'))
    heard = hear(0.3, tag)
    after = counters()
    counted = ' '.join(f'{n} {after[n] - before[n]}' for n in LISTEN)
    seen = ', '.join(f'{k[0]}{k[1][4:]} {v}' for k, v in sorted(heard.items())) or 'nobody'
    print(f'  {name:24}{counted:26}{seen}', flush=True)
