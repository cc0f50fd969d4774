// A master made of nothing but adverts, for a node under measurement to hear: SIGUSR1 makes it
// advertise now and every second with ucarp's best timers, SIGUSR2 makes it say goodbye and fall
// silent. Its process runs in a host of the lab:
//
//   node --import tsx bench/inject.ts INTERFACE SOURCE MAC VHID VIP PASSWORD
import { readFileSync } from 'node:fs';
import { invariant } from '../src/base/assert.ts';
import { multicastMac, parseIpv4, parseMac } from '../src/base/addresses.ts';
import { CARP_MULTICAST, parseVhid } from '../src/carp/group.ts';
import { BOW_OUT, writeAdvert } from '../src/carp/advert.ts';
import { advertDigest } from '../src/carp/digest.ts';
import { ETHERTYPE_IPV4 } from '../src/base/ethertypes.ts';
import { writeEthernet } from '../src/carp/ethernet.ts';
import { writeCarpPacket } from '../src/carp/ipv4.ts';
import { openPacketSocket } from '../src/linux/sockets/packet-socket.ts';

const INTERVAL_MS = 1_000;

const [device = '', sourceText = '', macText = '', vhidText = '', vipText = '', password = ''] =
  process.argv.slice(2);
const source = parseIpv4(sourceText);
const mac = parseMac(macText);
const vhid = parseVhid(Number(vhidText));
const vip = parseIpv4(vipText);
invariant(source !== undefined && vip !== undefined, 'SOURCE and VIP are IPv4 addresses');
invariant(mac !== undefined, 'MAC is an Ethernet address');
invariant(vhid !== undefined, 'VHID is 1 to 255');

const group = { passphrase: Buffer.from(password), vhid, addresses: [vip] };
const address = { source, destination: CARP_MULTICAST };
const header = {
  destination: multicastMac(CARP_MULTICAST),
  source: mac,
  etherType: ETHERTYPE_IPV4,
};
const ifindex = Number(readFileSync(`/sys/class/net/${device}/ifindex`, 'utf8'));
const socket = openPacketSocket({ ifindex });

let counter = 1n;
let timer: NodeJS.Timeout | undefined;

process.on('SIGUSR1', () => {
  clearInterval(timer);
  timer = setInterval(() => advertise(1, 0), INTERVAL_MS);
  advertise(1, 0);
});
process.on('SIGUSR2', () => {
  clearInterval(timer);
  advertise(BOW_OUT, BOW_OUT);
});
// Handlers of signals alone don't keep a process running.
setInterval(() => undefined, 60_000);
process.stdout.write('ready\n');

function advertise(advbase: number, advskew: number): void {
  counter += 1n;
  const digest = advertDigest(group, counter);
  const advert = writeAdvert({ vhid: group.vhid, advbase, advskew, demote: 0, counter, digest });
  const identification = Number(counter & 0xffffn);
  socket.send(writeEthernet(header, writeCarpPacket({ ...address, identification }, advert)));
}
