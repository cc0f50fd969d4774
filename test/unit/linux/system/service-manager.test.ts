// What goes to the socket of systemd, and from which environment that is known.
import { deepEqual, equal } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findServiceManager } from '../../../../src/linux/system/service-manager.ts';

const PATH = '/run/systemd/notify';

describe('the service manager', () => {
  test('is the one that the environment names', () => {
    const find = (path?: string): unknown => findServiceManager({ NOTIFY_SOCKET: path }, 1);
    equal(find(), undefined);
    equal(find(''), undefined);
    equal(find('relative'), undefined);
    equal(find('vsock:2:9999'), undefined);
    equal(typeof find(PATH), 'object');
    equal(typeof find('@abstract'), 'object');
  });

  test('watches only the process that it names, with a time that is one', () => {
    const watchdog = (usec: string, pid?: string): number | undefined =>
      findServiceManager({ NOTIFY_SOCKET: PATH, WATCHDOG_USEC: usec, WATCHDOG_PID: pid }, 7)
        ?.watchdogMs;
    equal(watchdog('10000000'), 10_000);
    equal(watchdog('10000000', '7'), 10_000);
    equal(watchdog('10000000', '8'), undefined);
    for (const text of ['', '0', '-1', '1e9', 'soon']) equal(watchdog(text), undefined, text);
  });

  test('gets what could not be sent at first, in order, and no outdated part of it', () => {
    const got: string[] = [];
    let isFull = true;
    const manager = findServiceManager({ NOTIFY_SOCKET: PATH }, 1, (path, bytes) => {
      equal(path, PATH);
      if (isFull) throw new Error('EAGAIN');
      got.push(new TextDecoder().decode(bytes));
    });
    manager?.notify({ READY: '1', STATUS: 'two\nlines' });
    manager?.notify({ WATCHDOG: '1' });
    manager?.notify({ STATUS: 'old' });
    manager?.notify({ STATUS: 'new' });
    isFull = false;
    manager?.notify({ WATCHDOG: '1' });
    deepEqual(got, ['READY=1\nSTATUS=two lines', 'STATUS=new', 'WATCHDOG=1']);
  });
});
