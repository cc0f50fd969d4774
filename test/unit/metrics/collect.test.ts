// The daemon as its gauges show it, made of real snapshots of links and elections.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIpv4 } from '../../../src/base/addresses.ts';
import { fromMillis, fromSeconds } from '../../../src/base/time.ts';
import { sampleAll, type SampledInstance } from '../../../src/metrics/collect.ts';
import type { ElectionSnapshot } from '../../../src/election/snapshot.ts';
import { LinkRig, PEER } from '../../support/readiness-rig.ts';
import { dbConfig, electionSnapshot, ip } from '../../support/reports.ts';

const NEVER = electionSnapshot();

function instance(changes: Partial<ElectionSnapshot>, config: object = {}): SampledInstance {
  return {
    config: dbConfig(config),
    source: undefined,
    standbys: [],
    record: { peers: { all: () => [] }, maintenance: undefined },
    snapshot: () => ({ ...NEVER, ...changes }),
    isOn: ({ interfaceName }) => interfaceName === dbConfig(config).interfaceName,
  };
}

function link(rig: LinkRig, addresses: readonly string[] = []) {
  return {
    interfaceName: 'bond0',
    linkDriver: { snapshot: () => rig.snapshot },
    addresses: {
      observe: () =>
        addresses.map((address) => ({
          address: ip(address),
          prefixLength: 24,
          secondary: false,
        })),
    },
  };
}

test('before anything has happened', () => {
  const rig = new LinkRig();
  const { instances, links } = sampleAll([instance({})], [link(rig)], rig.now);
  assert.deepEqual(instances, [
    {
      labels: { name: 'db', interface: 'bond0', vhid: '7' },
      vip: '10.9.0.100',
      source: undefined,
      state: 'INIT',
      inDoubt: false,
      maintenanceSinceMs: undefined,
      lastTransitionAt: undefined,
      lastAdvertAt: undefined,
      peers: [],
      standbys: [],
      gateOpen: false,
      vipPresent: false,
      effectiveAdvskew: 0,
    },
  ]);
  assert.deepEqual(links, [
    {
      interface: 'bond0',
      ready: false,
      conditions: { carrier: false, lacp: true, frames: false },
      evidenceAt: new Map(),
      ports: [],
    },
  ]);
});

test('a master with its address, a peer and the proof of an advert', () => {
  const rig = LinkRig.waiting();
  rig.pass(250);
  rig.advert();
  const at = rig.now;
  rig.pass(500);
  const master: SampledInstance = {
    ...instance({
      state: 'MASTER',
      stateSince: fromSeconds(3),
      inDoubt: true,
      effectiveAdvskew: 240,
    }),
    source: ip('10.9.0.10'),
    record: {
      peers: { all: () => [{ address: PEER, interval: fromMillis(1_001) }] },
      maintenance: undefined,
    },
  };
  const observed = ['10.9.0.10', '10.9.0.100'];
  const { instances, links } = sampleAll([master], [link(rig, observed)], rig.now);
  const [sample] = instances;
  assert.ok(sample, 'there is one');
  assert.deepEqual(
    [sample.state, sample.source, sample.vipPresent, sample.gateOpen, sample.inDoubt],
    ['MASTER', '10.9.0.10', true, true, true],
  );
  assert.deepEqual(sample.peers, [{ address: formatIpv4(PEER), interval: fromMillis(1_001) }]);
  assert.deepEqual([sample.lastTransitionAt, sample.lastAdvertAt], [fromSeconds(3), at]);
  assert.equal(sample.effectiveAdvskew, 240);
  assert.equal(links[0]?.ready, true);
  assert.deepEqual(links[0].evidenceAt, new Map([['advert', at]]));
});

test('maintenance, with the moment at which it was turned on', () => {
  const rig = new LinkRig();
  const maintenance = { since: '2026-05-01T12:00:00.250Z' };
  const held = { ...instance({}), record: { peers: { all: () => [] }, maintenance } };
  const [sample] = sampleAll([held], [link(rig)], rig.now).instances;
  assert.equal(sample?.maintenanceSinceMs, Date.UTC(2026, 4, 1, 12, 0, 0, 250));
});

test('an instance is shown with its own interface', () => {
  const rig = new LinkRig();
  const elsewhere = instance({}, { interface: 'eth9' });
  assert.deepEqual(sampleAll([elsewhere], [link(rig)], rig.now).instances, []);
});
