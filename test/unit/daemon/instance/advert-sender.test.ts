// Where adverts come from while the source address of the node changes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Ipv4 } from '../../../../src/base/addresses.ts';
import { readIpv4 } from '../../../../src/carp/ipv4.ts';
import { AdvertSender } from '../../../../src/daemon/instance/advert-sender.ts';
import type { AdvertKind } from '../../../../src/election/effects.ts';
import { dbConfig, ip } from '../../../support/reports.ts';

const OLD = ip('10.9.0.10');
const NEW = ip('10.9.0.11');

class Rig {
  source: Ipv4 | undefined = OLD;
  local: readonly Ipv4[] = [OLD, NEW];
  readonly config = dbConfig();
  readonly sources: (Ipv4 | undefined)[] = [];
  readonly sender = new AdvertSender({
    randomIdentification: () => 7,
    config: () => this.config,
    key: {
      passphrase: this.config.passphrase.reveal(),
      vhid: this.config.vhid,
      addresses: [this.config.address.ip],
    },
    source: () => this.source,
    sharedInterface: {
      isLocal: (address) => this.local.includes(address),
      sendAdvert: (packet) => {
        const read = readIpv4(packet);
        this.sources.push(read.ok ? read.value.source : undefined);
        return Promise.resolve();
      },
    },
    onDone: () => undefined,
    onFailed: (_unsent, reason) => assert.fail(reason),
  });

  send(advert: AdvertKind): Promise<void> {
    this.sender.send({ kind: 'send-advert', advert, advbase: 1, advskew: 0, counter: 7n });
    return this.sender.allOut;
  }
}

test('a bow-out comes from where the adverts came from, while the host has that', async () => {
  const rig = new Rig();
  await rig.send('regular');
  rig.source = NEW;
  await rig.send('bow-out');
  assert.deepEqual(rig.sources, [OLD, OLD]);
});

test('a bow-out comes from the address there is, where the other one is gone', async () => {
  const rig = new Rig();
  await rig.send('regular');
  rig.source = NEW;
  rig.local = [NEW];
  await rig.send('bow-out');
  assert.deepEqual(rig.sources, [OLD, NEW]);
});

test('a bow-out comes from the new address once an advert has', async () => {
  const rig = new Rig();
  await rig.send('regular');
  rig.source = NEW;
  await rig.send('regular');
  await rig.send('bow-out');
  assert.deepEqual(rig.sources, [OLD, NEW, NEW]);
});

test('a bow-out is not sent where there is no address at all', async () => {
  const rig = new Rig();
  await rig.send('regular');
  rig.source = undefined;
  await rig.send('bow-out');
  assert.deepEqual(rig.sources, [OLD]);
});
