// Makes ucarp-adverts.json: adverts and a gratuitous ARP packet as the stock ucarp sends them, each
// digest verified here with nothing of carpd's own. Needs root and the Debian package ucarp:
//   node --import tsx test/vectors/capture.ts
import { equal, ok } from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Capture, type AdvertFrame } from '../../lab/capture.ts';
import { Lab } from '../../lab/namespaces.ts';
import type { UcarpOptions } from '../../lab/ucarp-argv.ts';
import { startUcarp } from '../../lab/ucarp-peer.ts';

const OUTPUT = fileURLToPath(new URL('ucarp-adverts.json', import.meta.url));
const ADVERT_MS = 15_000;

interface Sender {
  readonly desc: string;
  readonly options: UcarpOptions;
}

/** All on one host, told apart by vhid; a dead ratio of 1 makes each a master after an interval. */
const SENDERS: readonly Sender[] = [
  sender('all defaults', 1, 'secret', '10.77.0.100', {}),
  sender('an address with every octet high', 7, 'secret', '223.255.254.253', {}),
  sender('the lowest address', 8, 'secret', '1.0.0.1', {}),
  sender('a password of one byte', 2, 'x', '10.77.0.102', {}),
  sender('a password of 19 bytes, the longest', 3, '1234567890123456789', '10.77.0.103', {}),
  sender('a password with spaces and quotes', 4, ' it\'s "one" ', '10.77.0.104', {}),
  sender('a password in UTF-8', 5, 'pässwörd €', '10.77.0.105', {}),
  sender('the highest vhid', 255, 'secret', '192.168.255.1', {}),
  sender('advskew 1', 10, 'secret', '10.77.0.110', { advskew: 1 }),
  sender('advskew 128', 11, 'secret', '10.77.0.111', { advskew: 128 }),
  sender('advskew 240, which ucarp sends too while its sends fail', 12, 'secret', '10.77.0.112', {
    advskew: 240,
  }),
  sender('advskew 255', 13, 'secret', '10.77.0.113', { advskew: 255 }),
  sender('advbase 0', 14, 'secret', '10.77.0.114', { advbase: 0, advskew: 255 }),
  sender('advbase 5', 15, 'secret', '10.77.0.115', { advbase: 5, advskew: 7 }),
  sender('a group of its own', 20, 'secret', '10.77.0.120', { group: '224.0.0.42' }),
  sender('a group whose Ethernet address lacks its highest bits', 21, 'secret', '10.77.0.121', {
    group: '239.192.200.5',
  }),
  sender('broadcast on Ethernet, the group in IP', 22, 'secret', '10.77.0.122', {
    broadcast: true,
  }),
  sender('broadcast with a group of its own', 23, 'secret', '10.77.0.123', {
    broadcast: true,
    group: '224.0.0.42',
  }),
  sender('a second address of the interface as source', 30, 'secret', '10.77.0.130', {
    source: '172.16.5.4',
  }),
  sender('a source the host does not have', 31, 'secret', '10.77.0.131', {
    source: '198.51.100.77',
    broadcast: true,
  }),
];

const lab = await Lab.create();
const host = await lab.host('a', '10.77.0.1/24');
await host.ip('addr', 'add', '172.16.5.4/16', 'dev', 'eth0');
const capture = await Capture.start(host);
const peers = SENDERS.map(({ options }) => ({ options, peer: startUcarp(host, options) }));
const adverts = [];
for (const { desc, options } of SENDERS) {
  adverts.push(vector(desc, options, await capture.advert(1, { vhid: options.vhid }, ADVERT_MS)));
}
const garp = await capture.gratuitousArp('10.77.0.100', 0, ADVERT_MS);
await Promise.all(peers.map(({ peer }) => peer.stop()));
adverts.push(...(await successionVectors()));
await capture.stop();
lab.close();

const gratuitousArps = [
  { desc: 'ucarp announces', mac: host.mac, vip: garp.arp.senderIp, frame: hex(garp.bytes) },
];
const about = 'Ethernet frames sent by ucarp 1.5.2 (Debian 12); made by test/vectors/capture.ts';
writeFileSync(OUTPUT, `${JSON.stringify({ about, adverts, gratuitousArps }, null, 2)}\n`);
console.log(`${adverts.length} adverts in ${OUTPUT}`);

function sender(
  desc: string,
  vhid: number,
  password: string,
  vip: string,
  more: Partial<UcarpOptions>,
): Sender {
  const options = { vhid, password, vip, deadRatio: 1, hooksMoveAddress: false, ...more };
  return { desc, options };
}

/** A master's last advert and its successor's first: the successor adopts and goes on counting. */
async function successionVectors(): Promise<object[]> {
  const options = { vhid: 40, password: 'secret', vip: '10.77.0.140', hooksMoveAddress: false };
  const slower = { ...options, advskew: 9 };
  const other = await lab.host('b', '10.77.0.2/24');
  const first = startUcarp(host, { ...options, deadRatio: 1 });
  await first.waitFor('MASTER', ADVERT_MS);
  const second = startUcarp(other, slower);
  await second.waitFor('BACKUP', ADVERT_MS);
  // ucarp hears up to a second late: with three more adverts it has heard at least one.
  const sent = capture.adverts({ vhid: 40 }).length;
  await capture.advert(sent + 3, { vhid: 40 }, ADVERT_MS);
  await first.kill();
  const taken = await capture.advert(1, { source: other.address }, ADVERT_MS);
  await second.stop();
  const last = capture.adverts({ source: host.address, vhid: 40 }).at(-1);
  ok(last !== undefined);
  equal(taken.advert.counter, BigInt.asUintN(64, last.advert.counter + 1n), 'the counter adopted');
  return [
    vector('the last advert of a killed master', options, last),
    vector('the first of its successor: the counter heard, plus one', slower, taken, other),
  ];
}

/** The vector of a frame, after its digest has been found right and its fields as they were set. */
function vector(desc: string, options: UcarpOptions, frame: AdvertFrame, by = host): object {
  const { advert } = frame;
  const { vhid, password, vip } = options;
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(advert.counter);
  const hmac = createHmac('sha1', password);
  hmac.update(Uint8Array.of(2, 1, vhid, ...vip.split('.').map(Number)));
  equal(hmac.update(counter).digest('hex'), advert.digest, `${desc}: the digest`);
  const source = options.source ?? by.address;
  const group = options.group ?? '224.0.0.18';
  const advbase = options.advbase ?? 1;
  const advskew = options.advskew ?? 0;
  const { demote, ttl, destination } = advert;
  const expected = { source, group, vhid, advbase, advskew, demote: 0, ttl: 255 };
  const { source: from, advbase: base, advskew: skew } = advert;
  const seen = {
    source: from,
    group: destination,
    vhid,
    advbase: base,
    advskew: skew,
    demote,
    ttl,
  };
  equal(JSON.stringify(seen), JSON.stringify(expected), desc);
  const broadcast = options.broadcast ?? false;
  const fields = { password, vhid, vip, source, group, broadcast, advbase, advskew };
  return { desc, ...fields, counter: counter.toString('hex'), frame: hex(frame.bytes) };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
