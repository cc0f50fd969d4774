// What one advert costs through raw-socket, and as a frame through the addon.
//   unshare --net node --import tsx native-notes/probes/sending-cost.mjs
import { execFileSync } from 'node:child_process';
import { openCarpSocket } from '../../src/linux/sockets/carp-socket.ts';
import { openLinkWatch } from '../../src/linux/links/link-watch.ts';
import { openPacketSocket } from '../../src/linux/sockets/packet-socket.ts';
import { writeCarpPacket } from '../../src/carp/ipv4.ts';

const SENDS = 20_000;
const SET_UP = `ip link add va type veth peer name vb; ip addr add 10.99.0.1/24 dev va
  ip link set va up; ip link set vb up; sleep 1`;
execFileSync('sh', ['-euc', SET_UP]);
const nothing = () => undefined;
const links = await openLinkWatch({ onChange: nothing, onError: nothing });
const { ifindex } = links.find('va');
links.close();
const on = { interfaceName: 'va', ifindex, onPacket: nothing, onError: nothing };
const carp = await openCarpSocket(on);
const tap = openPacketSocket({ ifindex });
const addresses = { source: 0x0a630001, destination: 0xe0000012, identification: 1 };
const packet = writeCarpPacket(addresses, new Uint8Array(36));
const head = [0x01, 0, 0x5e, 0, 0, 0x12, 2, 0, 0, 0, 0, 0x99, 8, 0];
const ways = {
  'raw socket': () => carp.send(packet, '224.0.0.18'),
  frame: () => tap.send(Uint8Array.from([...head, ...packet])),
};
for (const [name, send] of Object.entries(ways)) {
  const [before, startMs] = [process.cpuUsage(), performance.now()];
  for (let count = 0; count < SENDS; count += 1) await send();
  const { user, system } = process.cpuUsage(before);
  const each = ((performance.now() - startMs) * 1_000) / SENDS;
  console.log(`${name}: ${(user + system) / SENDS} us of the processor, ${each} us in all`);
}
carp.close();
tap.close();
