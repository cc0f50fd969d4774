// What IP_HDRINCL keeps of a header and what the kernel fills in, and where the firewall sits. Needs
// root, the built addon and nftables:
//   unshare --net node native-notes/probes/header-included.mjs
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import raw from 'raw-socket';

const native = createRequire(import.meta.url)('../../native/build/Release/carpd_sockets.node');
const sh = (script) => execFileSync('sh', ['-euc', script]).toString().trim();
const pause = (ms) => new Promise((next) => setTimeout(next, ms));

sh(`echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
  ip link add va type veth peer name vb; ip addr add 10.99.0.1/24 dev va
  echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter; echo 0 >/proc/sys/net/ipv4/conf/vb/rp_filter
  ip addr add 10.99.0.9/24 dev vb; ip link set va up; ip link set vb up`);
await pause(300);
const index = (name) => Number(sh(`ip -o link show ${name}`).split(':')[0]);
const tap = native.openPacket(index('vb'), 0x0800, undefined, false);
const all = native.openPacket(index('vb'), 3, undefined, true);
const lower = native.openPacket(index('va'), 0, undefined, false);
const sender = raw.createSocket({ protocol: 255 });
sender.setOption(1, 25, Buffer.from('va\0'), 3);
sender.setOption(0, 3, 1);
const recverr = (on) => sender.setOption(0, 11, on);
const receiver = raw.createSocket({ protocol: 112 });
receiver.setOption(1, 25, Buffer.from('vb\0'), 3);
let heard = 0;
receiver.on('message', () => (heard += 1));
const mreqn = Buffer.from([224, 0, 0, 18, 0, 0, 0, 0, 0, 0, 0, 0]);
mreqn.writeInt32LE(index('vb'), 8);
receiver.setOption(0, 35, mreqn, 12);
await pause(50);
while (native.receive(tap) !== undefined);

const header = (id, fill) => {
  const bytes = Buffer.alloc(56, fill);
  bytes.set([
    0x45,
    0x10,
    0,
    56,
    id >> 8,
    id & 255,
    0x40,
    0,
    255,
    112,
    0,
    0,
    10,
    99,
    0,
    2,
    224,
    0,
    0,
    18,
  ]);
  return bytes;
};
const send = (bytes) =>
  new Promise((done) =>
    sender.send(bytes, 0, bytes.length, '224.0.0.18', (error) => done(error?.message ?? 'sent')),
  );
const onWire = async (what, bytes) => {
  const outcome = await send(bytes);
  await pause(20);
  const frame = native.receive(tap);
  const hex =
    frame === undefined ? outcome : Buffer.from(frame.bytes.subarray(14, 34)).toString('hex');
  console.log(
    `${what.padEnd(34)} given ${bytes.subarray(0, 20).toString('hex')}\n${' '.repeat(35)}wire  ${hex}`,
  );
};
recverr(1);
await onWire('a whole header', header(0x1234, 1));
const lying = header(0x1234, 1);
lying.set([0, 9], 2);
lying.set([0xaa, 0xaa], 10);
await onWire('wrong total length and checksum', lying);
await onWire('identification 0 with DF', header(0, 1));
const loose = header(0, 1);
loose.set([0, 0], 6);
await onWire('identification 0 without DF', loose);
const anonymous = header(0x1234, 1);
anonymous.set([0, 0, 0, 0], 12);
await onWire('source 0.0.0.0', anonymous);

heard = 0;
const frame = Buffer.concat([
  Buffer.from('01005e000012020000000001' + '0800', 'hex'),
  header(1, 1),
]);
frame.set(Buffer.from(checksummed(header(1, 1))), 14);
const report = async (rule) => {
  heard = 0;
  while (native.receive(tap) !== undefined);
  const raws = await send(header(2, 2));
  await pause(20);
  const afterRaw = native.receive(tap) !== undefined;
  while (native.receive(tap) !== undefined);
  while (native.receive(all) !== undefined);
  heard = 0;
  let lowerSend = 'sent';
  try {
    native.send(lower, frame);
  } catch (error) {
    lowerSend = error.code;
  }
  await pause(20);
  const yes = (fact) => (fact ? 'yes' : 'no');
  const byType = native.receive(tap) !== undefined;
  const byAll = native.receive(all) !== undefined;
  console.log(
    `${rule.padEnd(24)} raw send: ${raws}, arrived: ${yes(afterRaw)}; a frame from a packet socket: ${lowerSend}, ` +
      `heard by ETH_P_ALL: ${yes(byAll)}, ETH_P_IP: ${yes(byType)}, raw: ${yes(heard > 0)}`,
  );
};
await report('no rule');
sh(`nft 'table ip t { chain c { type filter hook output priority 0; ip protocol 112 drop; }; }'`);
await report('drop in output');
sh(
  `nft flush ruleset; nft 'table ip t { chain c { type filter hook input priority 0; ip protocol 112 drop; }; }'`,
);
await report('drop in input');
sh(
  `nft flush ruleset; nft 'table ip t { chain c { type filter hook prerouting priority -300; ip protocol 112 drop; }; }'`,
);
await report('drop in prerouting, raw');
sh(
  `nft flush ruleset; nft 'table netdev t { chain c { type filter hook ingress device vb priority 0; ip protocol 112 drop; }; }'`,
);
await report('drop in netdev ingress');
sh(
  `nft flush ruleset; nft 'table netdev t { chain c { type filter hook egress device va priority 0; ip protocol 112 drop; }; }'`,
);
await report('drop in netdev egress');
sh(`nft flush ruleset; tc qdisc add dev va root pfifo limit 0`);
recverr(0);
console.log(`full queue: ${await send(header(3, 3))}`);
recverr(1);
console.log(`full queue, IP_RECVERR: ${await send(header(3, 3))}`);
console.log(readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim());
process.exit(0);

function checksummed(bytes) {
  const copy = Uint8Array.from(bytes);
  let sum = 0;
  for (let at = 0; at < 20; at += 2) sum += (copy[at] << 8) | copy[at + 1];
  while (sum > 0xffff) sum = (sum >> 16) + (sum & 0xffff);
  copy.set([(~sum >> 8) & 255, ~sum & 255], 10);
  return copy;
}
