// Unix datagrams, and syslog lines that go out by them.
import { equal, ok, throws } from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { native } from '../../src/linux/sockets/native.ts';
import { Syslog } from '../../src/linux/system/syslog.ts';

const LISTENER = `
import socket, sys
path = sys.argv[1]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.settimeout(5)
s.bind(chr(0) + path[1:] if path[0] == '@' else path)
sys.stdout.write('ready' + chr(10))
sys.stdout.flush()
print(s.recv(9999).decode())`;

function code(name: string): (error: unknown) => boolean {
  return (error) => error instanceof Error && 'code' in error && error.code === name;
}

describe('Unix datagrams', () => {
  test('a path, an abstract name, and nobody there', async () => {
    const addon = native();
    const bytes = new Uint8Array(3);
    throws(() => addon.sendUnixDatagram('/nonexistent/log', bytes), code('ENOENT'));
    throws(() => addon.sendUnixDatagram('@carpd-test-nobody', bytes), code('ECONNREFUSED'));
    throws(() => addon.sendUnixDatagram('', bytes), code('ENOENT'));
    throws(() => addon.sendUnixDatagram('x'.repeat(200), bytes), code('ENAMETOOLONG'));
    const path = join(mkdtempSync(join(tmpdir(), 'carpd-')), 'log');
    const output: string[] = [];
    for (const name of [path, `@${path}`]) {
      const listener = execFile('python3', ['-c', LISTENER, name]);
      const [stdout] = [listener.stdout!.setEncoding('utf8')];
      stdout.on('data', (text: string) => void output.push(text));
      const [ready] = (await once(stdout, 'data')) as [string];
      equal(ready, 'ready\n');
      output.length = 0;
      const log = new Syslog({ facility: 'LOCAL3', ident: 'ucarp', path: name });
      log.write('warning', 'one\nline');
      equal(log.failures, 0);
      await once(listener, 'close');
      const line = output.join('').trim();
      ok(/^<156>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d ucarp\[\d+\]: one line$/.test(line), line);
    }
    rmSync(dirname(path), { recursive: true });
  });

  test('a syslog that is away is counted, and "none" writes nothing', () => {
    const away = new Syslog({ facility: 'daemon', ident: 'ucarp', path: '/nonexistent/log' });
    away.write('info', 'x');
    equal(away.failures, 1);
    const none = new Syslog({ facility: 'none', ident: 'ucarp', path: '/nonexistent/log' });
    none.write('info', 'x');
    equal(none.failures, 0);
  });
});
