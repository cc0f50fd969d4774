// Where metrics may be served, and of which places it is warned.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  exposureWarning,
  listenAddress,
  listenAddressOrOff,
} from '../../../src/config/listen-address.ts';

describe('a place to listen at', () => {
  const GOOD: readonly [text: string, host: string, port: number, isExposed: boolean][] = [
    ['127.0.0.1:9112', '127.0.0.1', 9112, false],
    ['127.9.9.9:1', '127.9.9.9', 1, false],
    ['0.0.0.0:65535', '0.0.0.0', 65535, true],
    ['10.9.0.10:9112', '10.9.0.10', 9112, true],
    ['[::1]:9112', '::1', 9112, false],
    ['[0:0:0:0:0:0:0:1]:9112', '0:0:0:0:0:0:0:1', 9112, false],
    ['[::ffff:127.0.0.1]:9112', '::ffff:127.0.0.1', 9112, false],
    ['[::]:9112', '::', 9112, true],
    ['[fd00::1]:9112', 'fd00::1', 9112, true],
  ];
  for (const [text, host, port, isExposed] of GOOD) {
    test(text, () => {
      const read = listenAddress(text);
      assert.ok(read.ok, 'it is taken');
      assert.deepEqual(read.value, { kind: 'tcp', text, host, port });
      assert.equal(exposureWarning(read.value) !== undefined, isExposed);
    });
  }

  test('a Unix socket, of which nobody need be warned', () => {
    const text = 'unix:/run/carpd/metrics.sock';
    const read = listenAddress(text);
    assert.ok(read.ok, 'it is taken');
    assert.deepEqual(read.value, { kind: 'unix', text, path: '/run/carpd/metrics.sock' });
    assert.equal(exposureWarning(read.value), undefined);
  });

  test('off, where that is asked for', () => {
    assert.deepEqual(listenAddressOrOff('off'), { ok: true, value: undefined });
    assert.equal(listenAddress('off').ok, false);
  });

  const BAD: readonly [value: unknown, says: RegExp][] = [
    ['127.0.0.1', /neither ADDR:PORT/],
    ['127.0.0.1:', /neither/],
    ['127.0.0.1:0', /neither/],
    ['127.0.0.1:09112', /neither/],
    ['127.0.0.1:65536', /neither/],
    ['127.0.0.1:9112 ', /neither/],
    ['127.1:9112', /neither/],
    ['localhost:9112', /neither/],
    [':9112', /neither/],
    ['*:9112', /neither/],
    ['::1:9112', /neither/],
    ['[]:9112', /neither/],
    ['[::1]', /neither/],
    ['[::1%lo]:9112', /neither/],
    ['[::g]:9112', /neither/],
    ['[1.2.3.4]:9112', /neither/],
    ['http://127.0.0.1:9112', /neither/],
    ['unix:', /neither/],
    ['unix:run/m', /neither/],
    ['unix:off', /neither/],
    ['unix:/', /names a directory/],
    ['unix:/run/\0', /holds a NUL byte|not an absolute path/],
    [`unix:/${'x'.repeat(107)}`, /longer than the 107 bytes/],
    [9112, /neither/],
    [null, /neither/],
    [['127.0.0.1:9112'], /neither/],
  ];
  for (const [value, says] of BAD) {
    test(`not ${JSON.stringify(value)}`, () => {
      const read = listenAddress(value);
      assert.ok(!read.ok, 'it is refused');
      assert.match(read.reason, says);
    });
  }
});
