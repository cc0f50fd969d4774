// The addon: stable symbols only, no growth, and when a wake-up comes. Needs root and the built addon:
//   unshare --net node --expose-gc native-notes/probes/addon.mjs
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const file = fileURLToPath(
  new URL('../../native/build/Release/carpd_sockets.node', import.meta.url),
);
const native = createRequire(import.meta.url)(file);
const symbols = execFileSync('nm', ['-D', '--undefined-only', file]).toString();
const names = symbols.split('\n').map((line) => line.trim().split(/\s+/).at(-1) ?? '');
const count = (pattern) => names.filter((name) => pattern.test(name)).length;
console.log(
  `undefined symbols: napi_ ${count(/^napi_/)}, uv_ ${count(/^uv_/)}, C++ ${count(/^_Z/)}`,
);

const dump = new Uint8Array(32);
new DataView(dump.buffer).setUint32(0, 32, true);
dump.set([18, 0, 1, 3, 1], 4);

const fd = native.openNetlink(0);
native.send(fd, dump);
const end = Date.now() + 100;
while (Date.now() < end);
let read = 0;
while (native.receive(fd) !== undefined) read += 1;
console.log(`synchronous: ${read} datagrams read in the turn in which the process woke late`);
native.close(fd);

for (let round = 0; round < 3; round += 1) {
  for (let number = 0; number < 10_000; number += 1) {
    const socket = native.openNetlink(0);
    native.watch(socket, () => undefined);
    native.send(socket, dump);
    native.close(socket);
    if (number % 500 === 0) await new Promise((next) => setImmediate(next));
  }
  globalThis.gc();
  console.log(
    `after ${(round + 1) * 10_000} sockets: ${Math.round(process.memoryUsage().rss / 1e6)} MB`,
  );
}

const watched = native.openNetlink(0);
const delays = [];
let sentAt = 0n;
await new Promise((done) => {
  native.watch(watched, () => {
    delays.push(Number(process.hrtime.bigint() - sentAt) / 1e3);
    while (native.receive(watched) !== undefined);
    if (delays.length === 200) done();
    else setTimeout(ask, 1);
  });
  const ask = () => {
    sentAt = process.hrtime.bigint();
    native.send(watched, dump);
  };
  ask();
});
native.close(watched);
delays.sort((a, b) => a - b);
console.log(
  `wake-up: median ${delays[100].toFixed(0)} us, worst of 200 ${delays[199].toFixed(0)} us`,
);
