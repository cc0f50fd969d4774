# The body of bond-netlink.sh: bond-netlink.py HOST-NS SWITCH-NS [VECTORS.json]; runs inside HOST-NS.
import json, os, select, socket, struct, subprocess, sys, time

host, switch = sys.argv[1:3]
vectors_file = sys.argv[3] if len(sys.argv) > 3 else None
EVENT = {0: '-', 1: 'reboot', 2: 'features', 3: 'bonding-failover', 4: 'notify-peers', 5: 'resend-igmp', 6: 'bonding-options'}
start = time.monotonic()
vectors = []

def attributes(data):
    out, offset = {}, 0
    while offset + 4 <= len(data):
        length, kind = struct.unpack_from('=HH', data, offset)
        if length < 4:
            break
        out[kind & 0x3FFF] = data[offset + 4:offset + length]
        offset += (length + 3) & ~3
    return out

def number(data):
    return int.from_bytes(data, sys.byteorder)

def facts(message):
    """The message of a link as a line: what a bond reader would want to know."""
    kind = struct.unpack_from('=IHH', message)[1]
    index, flags = struct.unpack_from('=BxHiII', message, 16)[2:4]
    a = attributes(message[32:])
    text = {16: 'NEWLINK', 17: 'DELLINK'}[kind]
    text += f" {a[3][:-1].decode()} oper={number(a[16]) if 16 in a else '?'}"
    text += f" up={flags & 1} running={flags >> 6 & 1} lower_up={flags >> 16 & 1}"
    if 44 in a:
        text += f' event={EVENT.get(number(a[44]), number(a[44]))}'
    info = attributes(a.get(18, b''))
    data, slave = attributes(info.get(2, b'')), attributes(info.get(5, b''))
    if info.get(1, b'').startswith(b'bond') and data:
        text += f' mode={number(data[1])} active_slave={number(data[2]) if 2 in data else None}'
        if 23 in data:
            ad = attributes(data[23])
            text += f' agg={number(ad[1])} ports={number(ad[2])} partner={ad[5].hex(":")}'
    if slave and info.get(4, b'').startswith(b'bond'):
        text += f' state={["active", "backup"][number(slave[1])]} mii={number(slave[2])}'
        if 7 in slave:
            text += f' agg={number(slave[6])} actor={number(slave[7])} partner={number(slave[8])}'
    return a[3][:-1].decode(), text

events = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
events.bind((0, 1))

def say(source, text):
    print(f'{time.monotonic() - start:8.2f} {source:8}{text}', flush=True)

def poll():
    """The bond's state as sysfs tells it."""
    out = {}
    for slave in ('e0', 'e1'):
        directory = f'/sys/class/net/{slave}/bonding_slave'
        try:
            read = lambda f: open(f'{directory}/{f}').read().strip()
            out[slave] = (f"state={read('state')} mii={read('mii_status')} agg={read('ad_aggregator_id')} "
                          f"actor={read('ad_actor_oper_port_state')} partner={read('ad_partner_oper_port_state')}")
        except OSError:
            out[slave] = 'no slave'
    try:
        read = lambda f: open(f'/sys/class/net/bond0/{f}').read().strip()
        out['bond0'] = (f"carrier={read('carrier')} active_slave={read('bonding/active_slave') or None} "
                        f"agg={read('bonding/ad_aggregator') or None} partner={read('bonding/ad_partner_mac') or None}")
    except OSError:
        out['bond0'] = 'not there or down'
    return out

last = {}
def watch(seconds, until=None):
    """Prints events and changes seen by polling, for a time or until `until` is true of the poll."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if select.select([events], [], [], 0.05)[0]:
            data = events.recv(65536)
            name, text = facts(data)
            say('netlink', text)
        now = poll()
        for key, value in now.items():
            if last.get(key) != value:
                say('sysfs', f'{key} {value}')
                last[key] = value
        if until and until(now):
            return

def run(*lines):
    for line in lines:
        say('does', line)
        subprocess.run(line, shell=True, check=True)

def ask(asker, device):
    mask = struct.pack('=HHI', 8, 29, 8)  # IFLA_EXT_MASK: RTEXT_FILTER_SKIP_STATS
    body = struct.pack('=BxHiII', 0, 0, socket.if_nametoindex(device), 0, 0) + mask
    asker.send(struct.pack('=IHHII', 16 + len(body), 18, 1, 1, 0) + body)
    return asker.recv(65536)

def told(device):
    """What iproute2 says about a link, cut down to what a bond reader needs."""
    shown = json.loads(subprocess.check_output(['ip', '-j', '-d', 'link', 'show', 'dev', device]))[0]
    info = shown.get('linkinfo', {})
    data = {k: v for k, v in info.get('info_data', {}).items()
            if k in ('mode', 'active_slave', 'miimon', 'min_links', 'ad_lacp_rate', 'ad_info', 'id')}
    slave = {k: v for k, v in info.get('info_slave_data', {}).items() if not k.endswith('_str')}
    out = {k: shown[k] for k in ('ifindex', 'ifname', 'flags', 'operstate', 'address')}
    out |= {k: shown[k] for k in ('link', 'master') if k in shown}
    out['kind'] = info.get('info_kind')
    if info.get('info_kind') in ('bond', 'vlan'):
        out['data'] = data
    if info.get('info_slave_kind'):
        out['slaveKind'] = info['info_slave_kind']
        if info['info_slave_kind'] == 'bond':
            out['slaveData'] = slave
    return out

def capture(name, devices=('bond0', 'e0', 'e1')):
    """Asks the kernel for the links, one message each, and iproute2 for what they mean."""
    if not vectors_file:
        return
    asker = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    for device in devices:
        for _ in range(20):
            before, message, meaning = told(device), ask(asker, device), told(device)
            if before == meaning:  # nothing moved meanwhile
                vectors.append({'name': f'{name}: {device}', 'message': message.hex(), 'meaning': meaning})
                break

def events_into_vectors(name, seconds):
    """Keeps the next notifications as they came, statistics and all."""
    end = time.monotonic() + seconds
    while vectors_file and time.monotonic() < end:
        if select.select([events], [], [], 0.2)[0]:
            message = events.recv(65536)
            device, text = facts(message)
            say('netlink', text)
            vectors.append({'name': f'{name}: event of {device}', 'message': message.hex(), 'facts': text})

FORMED = lambda now: all('actor=63 partner=63' in now[s] for s in ('e0', 'e1'))
def EXPIRED(text):
    actor = text.split('actor=')[-1].split()[0]
    return actor.isdigit() and int(actor) & 0x80

def make(ns, a, b, options):
    return [f'ip -n {ns} link add bond0 type bond miimon 100 {options}',
            f'ip -n {ns} link set {a} down; ip -n {ns} link set {a} master bond0',
            f'ip -n {ns} link set {b} down; ip -n {ns} link set {b} master bond0']

def title(text):
    print(f'== {text}', flush=True)

title('802.3ad, fast: the switch has link but no LACP')
run(f'ip -n {switch} link set p0 up; ip -n {switch} link set p1 up',
    *make(host, 'e0', 'e1', 'mode 802.3ad lacp_rate fast'), 'ip link set bond0 up')
watch(5)
capture('802.3ad, no partner')
title('the switch forms its port channel')
run(*make(switch, 'p0', 'p1', 'mode 802.3ad lacp_rate fast'), f'ip -n {switch} link set bond0 up')
watch(1.5)
capture('802.3ad, forming')
watch(20, FORMED)
watch(2)
capture('802.3ad, formed')
title('cable 1 loses its carrier, and gets it back')
run(f'ip -n {switch} link set p1 down')
watch(2)
capture('802.3ad, one cable without carrier', ('bond0', 'e1'))
run(f'ip -n {switch} link set p1 up')
watch(20, FORMED)
watch(1)
title('the switch stops LACP on cable 1 with link up (port leaves the channel)')
run(f'ip -n {switch} link set p1 nomaster; ip -n {switch} link set p1 up')
watch(9)
capture('802.3ad, one cable without LACP', ('e1',))
title('the switch stops LACP on both')
run(f'ip -n {switch} link set p0 nomaster; ip -n {switch} link set p0 up')
watch(10, lambda now: EXPIRED(now['e0']))
capture('802.3ad, LACP expired', ('bond0', 'e0'))
watch(8)
capture('802.3ad, LACP defaulted')
title('another switch answers: a partner with another MAC')
run(f'ip -n {switch} link del bond0',
    *make(switch, 'p0', 'p1', 'mode 802.3ad lacp_rate fast ad_actor_system 02:aa:00:00:00:01'),
    f'ip -n {switch} link set bond0 up')
watch(20, FORMED)
watch(1)
capture('802.3ad, formed with another switch', ('bond0',))
title('devices on top of the bond: VLAN, macvlan, bridge')
run('ip link add link bond0 name bond0.5 type vlan id 5', 'ip link set bond0.5 up',
    'ip link add link bond0 name mv0 type macvlan mode bridge', 'ip link set mv0 up')
watch(1)
capture('stacked on 802.3ad', ('bond0.5', 'mv0'))
run('ip link del bond0.5', 'ip link del mv0', 'ip link add br9 type bridge', 'ip link set bond0 master br9',
    'ip link set br9 up')
watch(1)
capture('802.3ad as port of a bridge', ('bond0', 'br9'))
run('ip link del br9')
title('all cables lose their carrier')
run(f'ip -n {switch} link set p0 down; ip -n {switch} link set p1 down')
watch(2)
capture('802.3ad, no carrier')

title('active-backup: made, fail-over, fail-back by command, slave removed, all down')
run('ip link del bond0', f'ip -n {switch} link del bond0', f'ip -n {switch} link set p0 up; ip -n {switch} link set p1 up',
    *make(host, 'e0', 'e1', 'mode active-backup'), 'ip link set bond0 up')
watch(2)
capture('active-backup, up')
run(f'ip -n {switch} link set p0 down')
events_into_vectors('active-backup, active slave lost its carrier', 2)
watch(2)
capture('active-backup, failed over')
run(f'ip -n {switch} link set p0 up')
watch(1)
run('ip link set bond0 type bond active_slave e0')
watch(1)
run('ip link set e0 nomaster')
watch(1)
run(f'ip -n {switch} link set p1 down')
watch(1)
capture('active-backup, no carrier', ('bond0', 'e1'))
title('balance-xor')
run('ip link del bond0', f'ip -n {switch} link set p1 up', *make(host, 'e0', 'e1', 'mode balance-xor'), 'ip link set bond0 up')
watch(1)
capture('balance-xor, up', ('bond0', 'e0'))
title('team (active-backup runner of the kernel), and a plain cable')
run('ip link del bond0', 'ip link add team0 type team', 'ip link set e0 down; ip link set e0 master team0',
    'ip link set team0 up', 'ip link set e1 up')
watch(1)
capture('team', ('team0', 'e0', 'e1'))
title('802.3ad, slow rate on both sides')
run('ip link del team0', *make(switch, 'p0', 'p1', 'mode 802.3ad lacp_rate slow'),
    *make(host, 'e0', 'e1', 'mode 802.3ad lacp_rate slow'), f'ip -n {switch} link set bond0 up', 'ip link set bond0 up')
watch(15, lambda now: all('actor=61 partner=61' in now[s] for s in ('e0', 'e1')))
watch(1)
capture('802.3ad, formed at slow rate', ('e0',))

if vectors_file:
    release = os.uname().release
    with open(vectors_file, 'w') as f:
        out = ({'about': 'RTM_NEWLINK messages (little-endian, with their nlmsghdr) of bonds and '
                   'their slaves, with what iproute2 made of them; from native-notes/probes/bond-netlink.sh',
                   'kernel': release, 'vectors': vectors})
        json.dump(out, f, indent=2)
        f.write('\n')
