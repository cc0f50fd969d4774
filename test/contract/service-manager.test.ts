// Messages to a real socket such as systemd's: by path and by abstract name, and through a queue
// that is full for a while.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, describe, test } from 'node:test';
import { findServiceManager } from '../../src/linux/system/service-manager.ts';

/** Binds, and reads nothing before it is told to; then a line of JSON for each message. */
const RECEIVER = `
import json, socket, sys
path = sys.argv[1]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(chr(0) + path[1:] if path[0] == '@' else path)
print('ready', flush=True)
for line in sys.stdin:
    s.settimeout(float(line))
    try:
        while True: print(json.dumps(s.recv(9999).decode()), flush=True)
    except TimeoutError: print('empty', flush=True)
`;
/** More than any kernel queues for a socket (net.unix.max_dgram_qlen). */
const FLOOD = 2_000;

const folder = mkdtempSync(join(tmpdir(), 'carpd-notify-'));
after(() => rmSync(folder, { recursive: true }));

describe('the socket of a service manager', () => {
  for (const [kind, path] of [
    ['a path', join(folder, 'notify')],
    ['an abstract name', `@${join(folder, 'abstract')}`],
  ] as const) {
    test(`${kind} gets what is told, in order, also after its queue was full`, async () => {
      const child = spawn('python3', ['-c', RECEIVER, path], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
      equal((await lines.next()).value, 'ready');
      const manager = findServiceManager({ NOTIFY_SOCKET: path });
      manager?.notify({ READY: '1', STATUS: 'db MASTER' });
      for (let count = 0; count < FLOOD; count += 1) manager?.notify({ STATUS: `${count}` });
      manager?.notify({ STOPPING: '1' });
      const first = await receive(child.stdin, lines);
      equal(first[0], 'READY=1\nSTATUS=db MASTER');
      ok(first.length < FLOOD, 'the queue was never full');
      manager?.notify({ WATCHDOG: '1' });
      deepEqual(await receive(child.stdin, lines), [
        `STATUS=${FLOOD - 1}`,
        'STOPPING=1',
        'WATCHDOG=1',
      ]);
      child.stdin.end();
      await once(child, 'close');
      manager?.notify({ WATCHDOG: '1' });
    });
  }
});

/** All that is in the queue. */
async function receive(
  orders: NodeJS.WritableStream,
  lines: AsyncIterator<string>,
): Promise<readonly string[]> {
  orders.write('0.2\n');
  const got: string[] = [];
  for (;;) {
    const line = await lines.next();
    if (line.done === true || line.value === 'empty') return got;
    got.push(JSON.parse(line.value) as string);
  }
}
