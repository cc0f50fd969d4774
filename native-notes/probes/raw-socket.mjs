// What raw-socket does with its sockets, buffers, errors and queues. Needs root:
//   unshare --net node --expose-gc native-notes/probes/raw-socket.mjs
import { readdirSync, readlinkSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import raw from 'raw-socket';

const turns = async (count) => {
  for (let turn = 0; turn < count; turn += 1) await new Promise((next) => setImmediate(next));
};
const sockets = () =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
    } catch {
      return false;
    }
  }).length;
const packet = (fill) => Buffer.alloc(36, fill);
const send = (socket, bytes) =>
  new Promise((done) => socket.send(bytes, 0, bytes.length, '127.0.0.1', (error) => done(error)));

execFileSync('ip', ['link', 'set', 'lo', 'up']);

const before = sockets();
for (let count = 0; count < 5; count += 1) raw.createSocket({ protocol: 112 });
const made = sockets() - before;
for (let round = 0; round < 5; round += 1) {
  globalThis.gc();
  await new Promise((next) => setTimeout(next, 10));
}
console.log(`collected: of ${made} sockets that nobody holds, ${sockets() - before} are left`);

const receiver = raw.createSocket({ protocol: 112 });
const sender = raw.createSocket({ protocol: 255 });
sender.pauseRecv();
sender.setOption(0, 3, 0);
const views = [];
receiver.on('message', (view) => views.push(view));
receiver.once('error', (error) =>
  console.log(`listener: its exception came back: ${error.message}`),
);
const header = (fill) => {
  const bytes = Buffer.concat([Buffer.alloc(20), packet(fill)]);
  bytes.set([0x45, 0, 0, 56, 0, 1, 0x40, 0, 255, 112, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1]);
  return bytes;
};
sender.setOption(0, 3, 1);
await send(sender, header(1));
await turns(3);
const first = views[0][20];
await send(sender, header(2));
await turns(3);
console.log(
  `buffer: byte 20 of the first packet was ${first}, after the second it is ${views[0][20]}`,
);

const flood = async (count, fill) => {
  for (let sent = 0; sent < count; sent += 1) await send(sender, header(fill));
};
receiver.pauseRecv();
await flood(300, 3);
receiver.resumeRecv();
const seen = views.length;
await turns(10);
console.log(`one a turn: ${views.length - seen} packets were read in 10 turns of the event loop`);

const both = raw.createSocket({ protocol: 112 });
let read = 0;
both.on('message', () => (read += 1));
both.pauseRecv();
await flood(200, 4);
both.resumeRecv();
read = 0;
await send(both, packet(5));
console.log(`one socket for both ways: ${read} packets were read before the one was sent`);

receiver.on('error', () => undefined);
receiver.removeAllListeners('message');
receiver.on('message', () => {
  throw new Error('from the listener');
});
await send(sender, header(6));
await turns(3);

const error = await new Promise((done) =>
  sender.send(Buffer.alloc(70_000), 0, 70_000, '127.0.0.1', done),
);
console.log(`error: message "${error.message}", code ${error.code}, errno ${error.errno}`);

sender.close();
let called = false;
sender.send(packet(7), 0, 36, '127.0.0.1', () => (called = true));
await new Promise((next) => setTimeout(next, 200));
console.log(`after close: the callback of send was ${called ? '' : 'not '}called`);
process.exit(0);
