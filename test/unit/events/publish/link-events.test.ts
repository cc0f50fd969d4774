// What is told of an interface: each change once.
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { address, mac } from '../../../support/packets.ts';
import { fromSeconds, micros, plus, type Micros } from '../../../../src/base/time.ts';
import type { LinkEventFields } from '../../../../src/events/events.ts';
import { LinkEvents } from '../../../../src/events/publish/link-events.ts';
import type { EvidenceKind, EvidenceRecord, Status } from '../../../../src/readiness/evidence.ts';
import type { PortFault, PortVerdict } from '../../../../src/readiness/lacp.ts';

describe('LinkEvents', () => {
  let news: LinkEventFields[] = [];
  let now: Micros = micros(0);
  let linkEvents: LinkEvents;
  const told = (): readonly LinkEventFields[] => news.splice(0);

  beforeEach(() => {
    news = [];
    now = micros(0);
    linkEvents = new LinkEvents(
      (one) => void news.push(one),
      () => now,
    );
  });

  test('tells of the first piece of each kind of evidence in an epoch', () => {
    linkEvents.evidence(1, [record('frame', '02:00:00:00:00:aa', 1)]);
    linkEvents.evidence(1, [
      record('probe', '10.9.0.1', 1),
      record('frame', '02:00:00:00:00:bb', 1),
    ]);
    linkEvents.evidence(1, [
      record('probe', '10.9.0.1', 1),
      record('frame', '02:00:00:00:00:cc', 1),
    ]);
    assert.deepEqual(told(), [
      { event: 'link-evidence', kind: 'frame', from: '02:00:00:00:00:aa', epoch: 1 },
      { event: 'link-evidence', kind: 'probe', from: '10.9.0.1', epoch: 1 },
    ]);
    linkEvents.evidence(2, []);
    linkEvents.evidence(2, [record('frame', '02:00:00:00:00:dd', 2)]);
    assert.deepEqual(told(), [
      { event: 'link-evidence', kind: 'frame', from: '02:00:00:00:00:dd', epoch: 2 },
    ]);
  });

  test('tells what has proved the link, the best there is', () => {
    const verdict = { state: 'ready', reasons: [] } as const;
    const effect = { kind: 'verdict-changed', verdict, conditions: CONDITIONS } as const;
    linkEvents.verdict({ ...effect, heldFor: fromSeconds(2) }, [
      record('advert', '10.9.0.11', 1),
      record('frame', '02:00:00:00:00:aa', 1),
    ]);
    linkEvents.verdict({ ...effect, heldFor: fromSeconds(2) }, []);
    const missing = { state: 'not-ready', reasons: ['no-frames'] } as const;
    linkEvents.verdict({ ...effect, verdict: missing, heldFor: undefined }, []);
    assert.deepEqual(told(), [
      { event: 'link-proved', heldMs: 2_000, by: 'advert', from: '10.9.0.11' },
      { event: 'link-proved', heldMs: 2_000, by: null, from: null },
      { event: 'link-unproved', reasons: ['no-frames'] },
    ]);
  });

  test('tells of ports that change, come and go', () => {
    linkEvents.ports([port('eth1', 'not-met', 'defaulted'), port('eth2', 'met')]);
    assert.equal(told().length, 2);
    linkEvents.ports([port('eth1', 'not-met', 'defaulted'), port('eth2', 'met')]);
    assert.deepEqual(told(), []);
    linkEvents.ports([port('eth1', 'not-met', 'expired'), port('eth2', 'met')]);
    linkEvents.ports([port('eth1', 'met')]);
    assert.deepEqual(told(), [
      { event: 'lacp-port', port: 'eth1', status: 'not-met', faults: ['expired'] },
      { event: 'lacp-port', port: 'eth1', status: 'met', faults: [] },
      { event: 'lacp-port', port: 'eth2', status: 'gone', faults: [] },
    ]);
    linkEvents.ports([{ ...port('eth1', 'met'), name: 'lan1' }]);
    assert.deepEqual(told(), [], 'a new name is the same port');
  });

  test('tells of a warning when it comes, and again when it is back', () => {
    linkEvents.warnings(['bond-unseen']);
    linkEvents.warnings(['bond-unseen', 'lacp-by-fallback']);
    linkEvents.warnings([]);
    linkEvents.warnings(['bond-unseen']);
    assert.deepEqual(
      told().map((one) => (one.event === 'link-warning' ? one.warning : one.event)),
      ['bond-unseen', 'lacp-by-fallback', 'bond-unseen'],
    );
  });

  test('tells once a minute of what can not be read, however often that is tried', () => {
    const fault = { kind: 'uplink-missing', name: 'eth9' } as const;
    for (let count = 0; count < 5; count += 1) linkEvents.stackFaults([fault]);
    linkEvents.probeFailed('ENOBUFS');
    const detail = 'the uplink eth9 does not exist; correct gate.uplinks';
    const [first, second, ...more] = told();
    assert.deepEqual(first, { event: 'link-unreadable', detail, repeats: 0 });
    assert.equal(second?.event, 'link-unreadable');
    assert.deepEqual(more, []);
    now = plus(now, fromSeconds(60));
    linkEvents.stackFaults([fault]);
    assert.deepEqual(told(), [{ event: 'link-unreadable', detail, repeats: 4 }]);
  });

  test('says of an uplink that is no port of the bridge what to do', () => {
    linkEvents.stackFaults([{ kind: 'uplink-apart', name: 'eth9', bridge: 'br0' }]);
    const [first] = told();
    assert.match(JSON.stringify(first), /eth9 is no port of the bridge br0.*correct gate.uplinks/);
  });

  test('says nothing of the first epoch, which nothing has ended', () => {
    const epoch = { since: now, carrierUpAt: undefined };
    linkEvents.epochBegan({ ...epoch, number: 1, cause: undefined });
    linkEvents.epochBegan({ ...epoch, number: 2, cause: 'carrier-lost' });
    assert.deepEqual(told(), [{ event: 'link-epoch', epoch: 2, cause: 'carrier-lost' }]);
  });
});

const MET = { status: 'met', reasons: [] } as const;
const CONDITIONS = { carrier: MET, lacp: MET, frames: MET };

function record(kind: EvidenceKind, from: string, epoch: number): EvidenceRecord {
  const when = { at: micros(0), epoch };
  const piece =
    kind === 'frame' ? { kind, from: mac(from), ...when } : { kind, from: address(from), ...when };
  return { kind, first: piece, latest: piece, count: 1 };
}

function port(name: string, status: Status, ...faults: readonly PortFault[]): PortVerdict {
  const ifindex = Number(name.at(-1));
  return { name, ifindex, status, faults, actorBits: undefined, partnerBits: undefined };
}
