// Files, pipes and devices: what is read at the start, what a reload refuses, and that neither
// reads without an end. A reload must never wait, since a master that waits sends no adverts.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { ReadFile } from '../../../src/config/passphrase.ts';
import { readFileWithMode, readRegularFile } from '../../../src/config/read-file.ts';
import { eventually } from '../../../lab/wait.ts';

const BYTES_MAX = 100;
const MAIN = new URL('../../../src/main.ts', import.meta.url).pathname;

const folder = mkdtempSync(join(tmpdir(), 'carpd-read-'));
after(() => rmSync(folder, { recursive: true }));

const READERS: readonly { desc: string; read: ReadFile }[] = [
  { desc: 'at the start', read: readFileWithMode },
  { desc: 'on a reload', read: readRegularFile },
];

for (const { desc, read } of READERS) {
  describe(desc, () => {
    test('a file is read with its bytes and mode, also through a link', () => {
      const path = join(folder, desc);
      const link = `${path} by link`;
      writeFileSync(path, Uint8Array.of(0x61, 0xff, 0x0a), { mode: 0o640 });
      symlinkSync(path, link);
      for (const name of [path, link]) {
        const { bytes, mode } = read(name, BYTES_MAX);
        assert.deepEqual([...bytes], [0x61, 0xff, 0x0a]);
        assert.equal(mode & 0o777, 0o640);
      }
    });

    test('a file whose size is only known when it is read', () => {
      assert.equal(Buffer.from(read('/proc/self/comm', BYTES_MAX).bytes).at(-1), 0x0a);
    });

    test('a file may be as large as allowed, and not a byte larger', () => {
      const path = join(folder, `${desc} large`);
      writeFileSync(path, 'x'.repeat(BYTES_MAX));
      assert.equal(read(path, BYTES_MAX).bytes.length, BYTES_MAX);
      writeFileSync(path, 'x'.repeat(BYTES_MAX + 1));
      assert.throws(() => read(path, BYTES_MAX), /^FileRefusal: it is larger than 100 bytes/);
    });

    test('what is not there is told by the system', () => {
      assert.throws(() => read(join(folder, 'none'), BYTES_MAX), /ENOENT/);
    });

    test('a directory is refused', () => {
      const path = join(folder, `${desc} directory`);
      mkdirSync(path);
      assert.throws(() => read(path, BYTES_MAX), /^FileRefusal: it is a directory/);
    });

    test('a socket is refused', async () => {
      const path = join(folder, `${desc} socket`);
      const server = createServer().listen(path);
      await once(server, 'listening');
      try {
        assert.throws(() => read(path, BYTES_MAX), /^FileRefusal: it is a socket/);
      } finally {
        server.close();
      }
    });
  });
}

describe('a pipe', () => {
  test('is read to its end at the start; a reload leaves it to whoever reads it', async () => {
    const path = pipe('written');
    const writer = spawn('sh', ['-c', 'printf "%s" secret >"$0"', path]);
    const ended = once(writer, 'exit');
    // It sleeps until there is a reader; a reload that opened the pipe and closed it would end it.
    await eventually(() => stateOf(writer.pid) === 'S', { withinMs: 15_000, what: 'the writer' });
    assert.throws(() => readRegularFile(path, BYTES_MAX), /^FileRefusal: it is a pipe, .*reload/);
    assert.equal(Buffer.from(readFileWithMode(path, BYTES_MAX).bytes).toString(), 'secret');
    assert.deepEqual(await ended, [0, null]);
  });

  test('that nobody writes does not hold up a reload', () => {
    const path = pipe('silent');
    assert.throws(() => readRegularFile(path, BYTES_MAX), /^FileRefusal: it is a pipe/);
  });

  test('is the standard input of a command, or one the shell has opened', () => {
    const passphrase = join(folder, 'pass');
    writeFileSync(passphrase, 'secret\n', { mode: 0o600 });
    const instance = 'interface: eth0, vhid: 7, address: 10.9.0.100, passphraseFile: /dev/fd/3';
    const text = `instances: {db: {${instance}}}`;
    // The configuration comes by standard input, the passphrase by descriptor 3, each from a pipe.
    const check = '"$0" --import tsx "$1" check --config /dev/stdin';
    const script = `cat "$2" | { printf "%s" "$3" | ${check} 3<&4; } 4<&0`;
    const { status, stderr, stdout } = spawnSync(
      'sh',
      ['-c', script, process.execPath, MAIN, passphrase, text],
      { encoding: 'utf8' },
    );
    // This host may have no such interface, which is a warning.
    assert.doesNotMatch(stderr, /^(?!carpd: \/dev\/stdin: warning: instances\.db\.|$)/m);
    assert.match(stdout, /passphrase: "?\[redacted\], from \//);
    assert.equal(status, 0);
  });
});

describe('a device', () => {
  test('is read at the start, but not without end', () => {
    assert.equal(readFileWithMode('/dev/null', BYTES_MAX).bytes.length, 0);
    assert.throws(() => readFileWithMode('/dev/zero', BYTES_MAX), /larger than 100 bytes/);
  });

  test('is refused on a reload', () => {
    assert.throws(() => readRegularFile('/dev/null', BYTES_MAX), /^FileRefusal: it is a device/);
  });
});

/** The state of a process: "S" asleep. */
function stateOf(pid = 0): string | undefined {
  return readFileSync(`/proc/${String(pid)}/stat`, 'utf8').split(') ')[1]?.[0];
}

function pipe(name: string): string {
  const path = join(folder, name);
  execFileSync('mkfifo', ['-m', '600', path]);
  return path;
}
