// What `carpd check` says of a configuration that does not fit this host.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseIpv4 } from '../../../src/base/addresses.ts';
import { hostWarnings, THIS_HOST, type HostView } from '../../../src/cli/host-warnings.ts';
import { describeFault } from '../../../src/config/load.ts';
import { configOf } from '../../support/daemon-scene.ts';

/** eth0 with these addresses, and nothing else. */
function host(...addresses: readonly string[]): HostView {
  return {
    hasInterface: (name) => name === 'eth0',
    addressesOf: () =>
      addresses.map((text) => {
        const [address = '', prefix = ''] = text.split('/');
        const ip = parseIpv4(address);
        assert.ok(ip !== undefined, text);
        return { ip, prefixLength: Number(prefix) };
      }),
  };
}

const warned = (changes: object, view: HostView): readonly string[] =>
  hostWarnings(configOf({ db: changes }), view).map(describeFault);

describe('a configuration', () => {
  test('that fits is not warned of', () => {
    assert.deepEqual(warned({}, host('10.9.0.10/24')), []);
    assert.deepEqual(warned({}, host('192.168.0.1/24', '10.9.0.10/24')), []);
    assert.deepEqual(warned({}, host()), [], 'nothing is known of an interface that is down');
    assert.deepEqual(warned({}, host('10.9.0.100/32')), [], 'its own virtual IP tells nothing');
  });

  test('is warned of where its interface is not there', () => {
    assert.deepEqual(warned({ interface: 'bond7' }, host()), [
      'instances.db.interface: this host has no interface bond7 now; carpd would wait for it',
    ]);
  });

  test('is warned of where the virtual IP is outside the network of the source', () => {
    const told = /^instances\.db\.address: 10\.9\.0\.100 is not in the network of 10\.8\.0\.1\/24/;
    assert.match(warned({}, host('10.8.0.1/24'))[0] ?? '', told);
    const two = host('10.9.0.10/24', '10.8.0.1/24');
    assert.match(warned({ source: '10.8.0.1' }, two)[0] ?? '', told);
    assert.deepEqual(warned({ source: '10.9.0.10' }, two), []);
  });
});

test('this host has its loopback interface, and none by a made-up name', () => {
  assert.ok(THIS_HOST.hasInterface('lo'));
  assert.ok(!THIS_HOST.hasInterface('no-such-one'));
  const loopback = { ip: parseIpv4('127.0.0.1'), prefixLength: 8 };
  assert.deepEqual(THIS_HOST.addressesOf('lo')[0], loopback);
});
