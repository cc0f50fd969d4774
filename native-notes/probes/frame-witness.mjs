// Which frames the frame witness sees on a bond, on its slaves, below a VLAN and below a bridge, and
// which through the VLAN and the bridge themselves. Needs root, the built addon, dist/, and a kernel
// with bonding and VLANs:
//   unshare --net node native-notes/probes/frame-witness.mjs
// or in the bond lab:
//   node --import tsx test/bond/run.ts --exec -- unshare --net node native-notes/probes/frame-witness.mjs
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { openFrameWitness } from '../../dist/linux/sockets/frame-witness.js';
import { openPacketSocket } from '../../dist/linux/sockets/packet-socket.js';

const sh = (script) => execFileSync('sh', ['-euc', script]).toString().trim();
const pause = (ms) => new Promise((next) => setTimeout(next, ms));
const index = (name) => Number(sh(`ip -o link show ${name}`).split(':')[0]);
const mac = (text) => text.split(':').map((byte) => parseInt(byte, 16));

/** A broadcast ARP request of another station; `tags` are VLAN ids. */
function arp(...tags) {
  const tagBytes = tags.flatMap((id) => [0x81, 0x00, 0, id]);
  const body = [0, 1, 8, 0, 6, 4, 0, 1, ...mac('02:00:00:00:00:99'), 10, 9, 0, 20];
  const head = [...mac('ff:ff:ff:ff:ff:ff'), ...mac('02:00:00:00:00:99'), ...tagBytes, 8, 6];
  return Uint8Array.from([...head, ...body, 0, 0, 0, 0, 0, 0, 10, 9, 0, 10]);
}

const lacpdu = new Uint8Array(124);
lacpdu.set([...mac('01:80:c2:00:00:02'), ...mac('02:00:00:00:00:99'), 0x88, 0x09, 1, 1]);
const mld = new Uint8Array(90);
mld.set([...mac('33:33:00:00:00:16'), ...mac('02:00:00:00:00:99'), 0x86, 0xdd, 0x60]);
mld.set([0, 36, 0, 1, 0xfe, 0x80], 18);
mld.set([58, 0, 5, 2, 0, 0, 1, 0, 143], 54);

const told = new Map();
let witnesses = [];

/** Listens for every data frame on each of [interface, VLANs]. */
function listen(...places) {
  for (const witness of witnesses) witness.close();
  witnesses = places.map(([name, vlans]) => {
    const label = vlans.length > 0 ? `${name} for VLAN ${vlans.join('.')}` : name;
    return openFrameWitness({
      uplinks: [{ ifindex: index(name), name, vlans }],
      mode: 'any-frame',
      onFrame: ({ vlan, bytes }) => {
        const type = Buffer.from(bytes).readUInt16BE(12).toString(16).padStart(4, '0');
        told.set(label, `${label} (tag ${vlan ?? 'none'}, then ${type})`);
      },
      onError: (error) => console.log(error.message),
    });
  });
}

async function send(what, from, frame) {
  const socket = openPacketSocket({ ifindex: index(from) });
  socket.send(frame);
  await pause(100);
  for (const witness of witnesses) witness.drain();
  socket.close();
  console.log(`  ${what.padEnd(34)}${[...told.values()].join(', ') || 'nobody'}`);
  told.clear();
}

async function until(what, test) {
  for (let round = 0; !test(); round += 1) {
    if (round > 200) throw new Error(`${what} did not come about`);
    await pause(100);
  }
}

const slaveState = (name) => {
  const row = JSON.parse(sh(`ip -d -j link show ${name}`))[0].linkinfo.info_slave_data;
  return `${row.ad_actor_oper_port_state} ${row.ad_partner_oper_port_state}`;
};

sh(`echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
  echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
  for n in 0 1; do ip link add name e$n type veth peer name p$n; done
  for b in 'bond0 e' 'far p'; do set -- $b
    ip link add name $1 type bond mode 802.3ad lacp_rate fast miimon 100
    for n in 0 1; do ip link set $2$n master $1; done
    ip link set $1 up
  done
  ip link add link bond0 name bond0.5 type vlan id 5; ip link set bond0.5 up`);
await until('LACP', () => slaveState('e0') === '63 63' && slaveState('e1') === '63 63');

const kernel = readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim();
console.log(`Linux ${kernel}\n802.3ad bond0 of e0 and e1, VLAN 5 on it; who sees it:`);
listen(['bond0', []], ['bond0', [5]], ['bond0', [5, 7]], ['bond0.5', []], ['e0', []], ['e1', []]);
await send('ARP, untagged', 'far', arp());
await send('ARP in VLAN 5', 'far', arp(5));
await send('ARP in VLAN 6', 'far', arp(6));
await send('ARP in VLAN 7 in VLAN 5', 'far', arp(5, 7));
await send('LACPDU into the cable of e0', 'p0', lacpdu);
await send('MLD report', 'far', mld);
await send('ARP that we send through bond0.5', 'bond0.5', arp());
await send('ARP that we send through bond0', 'bond0', arp());

sh(`ip link del bond0.5
  ip link add name br0 type bridge forward_delay 0; ip link set bond0 master br0; ip link set br0 up
  ip link add name vm type veth peer name tap; ip link set tap master br0
  ip link set vm up; ip link set tap up`);
await pause(1_000);
console.log('br0 of bond0 and the tap of a local machine; who sees it:');
listen(['bond0', []], ['br0', []], ['tap', []]);
await send('ARP from outside', 'far', arp());
await send('ARP of the local machine', 'vm', arp());

sh(`ip link del br0; ip link del far
  ip link del bond0; ip link add name bond0 type bond mode active-backup miimon 100
  for n in 0 1; do ip link set e$n down; ip link set e$n master bond0; ip link set p$n up; done
  ip link set bond0 up`);
const active = () =>
  /Active Slave: (e\d)/.exec(readFileSync('/proc/net/bonding/bond0', 'utf8'))?.[1];
await until('an active slave', () => active() !== undefined && active() !== 'None');
await pause(500);
console.log(`active-backup bond0, ${active()} active; who sees it:`);
listen(['bond0', []], ['e0', []], ['e1', []]);
await send('ARP into the cable of e0', 'p0', arp());
await send('ARP into the cable of e1', 'p1', arp());
listen();
