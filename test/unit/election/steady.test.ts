// Ten minutes of a healthy pair in virtual time: nothing changes, whatever the skews.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fromMillis, fromSeconds, plus, type Micros } from '../../../src/base/time.ts';
import { ipv4, type Ipv4 } from '../../../src/base/addresses.ts';
import type { Effect } from '../../../src/election/effects.ts';
import type { Input } from '../../../src/election/inputs.ts';
import { Election } from '../../../src/election/machine.ts';
import type { ElectionSettings } from '../../../src/election/settings.ts';

const TEN_MINUTES = fromSeconds(600);
/** Stock ucarp hears an advert up to a second late; a pair must bear it. */
const LATEST_HEARING = fromMillis(999);

class Node {
  readonly election: Election;
  readonly source: Ipv4;
  readonly transitions: string[] = [];
  adverts = 0;

  constructor(source: Ipv4, settings: Partial<ElectionSettings>) {
    this.source = source;
    this.election = new Election({
      advbase: 1,
      advskew: 0,
      deadRatio: 3,
      preempt: false,
      neutral: false,
      manageAddress: true,
      announceRefresh: undefined,
      initialCounter: 0n,
      ...settings,
    });
  }

  /** Feeds an input; reports the adverts that it makes the node send. */
  feed(
    input: Input,
    now: Micros,
    send: (effect: Extract<Effect, { kind: 'send-advert' }>) => void,
  ): void {
    for (const effect of this.election.step(input, now)) {
      if (effect.kind === 'state-changed') this.transitions.push(`${effect.from}-${effect.to}`);
      if (effect.kind === 'claim-vip') {
        this.feed({ kind: 'vip-claimed', term: effect.term, ok: true }, now, send);
      }
      if (effect.kind !== 'send-advert') continue;
      this.adverts += 1;
      send(effect);
    }
  }
}

/** Runs a master and a backup; `hearingDelay` passes between an advert and its being heard. */
function run(master: Node, backup: Node, hearingDelay: Micros): void {
  let now = fromSeconds(1);
  const inFlight: { at: Micros; input: Input }[] = [];
  const toBackup = ({
    advbase,
    advskew,
    counter,
  }: Extract<Effect, { kind: 'send-advert' }>): void => {
    const advert = { advbase, advskew, counter, demote: 0 };
    const input: Input = { kind: 'advert-heard', from: master.source, advert, proved: true };
    inFlight.push({ at: plus(now, hearingDelay), input });
  };
  const nobody = (): void => assert.fail('the backup must be silent');
  for (const node of [master, backup]) {
    const send = node === master ? toBackup : nobody;
    node.feed({ kind: 'carrier-changed', up: true }, now, send);
    node.feed({ kind: 'gate-changed', open: true }, now, send);
    if (node === master) {
      node.feed({ kind: 'interface-ready', source: node.source }, now, send);
      now = node.election.deadline() ?? now;
      node.feed({ kind: 'woken' }, now, send);
    } else {
      node.feed({ kind: 'interface-ready', source: node.source }, now, send);
    }
  }
  const end = plus(now, TEN_MINUTES);
  for (;;) {
    const arrival = inFlight[0]?.at ?? end;
    const wake = master.election.deadline() ?? end;
    const timeout = backup.election.deadline() ?? end;
    now = [arrival, wake, timeout].reduce((first, at) => (at < first ? at : first));
    if (now >= end) return;
    // What has arrived is heard before a deadline of the same instant is acted upon.
    if (arrival === now) backup.feed(inFlight.shift()?.input ?? { kind: 'woken' }, now, nobody);
    else if (wake === now) master.feed({ kind: 'woken' }, now, toBackup);
    else backup.feed({ kind: 'woken' }, now, nobody);
  }
}

describe('ten minutes of a healthy pair', () => {
  for (const [masterSkew, backupSkew] of [
    [0, 0],
    [0, 100],
    [100, 0],
    [255, 0],
  ] as const) {
    for (const hearingDelay of [fromMillis(1), LATEST_HEARING]) {
      const late = `heard ${hearingDelay / 1_000} ms late`;
      test(`skews ${masterSkew} and ${backupSkew}, ${late}: no transition`, () => {
        const master = new Node(ipv4(0x0a000001), { advskew: masterSkew });
        const backup = new Node(ipv4(0x0a000002), { advskew: backupSkew });
        run(master, backup, hearingDelay);
        assert.deepEqual(master.transitions, ['INIT-BACKUP', 'BACKUP-MASTER']);
        assert.deepEqual(backup.transitions, ['INIT-BACKUP']);
        const intervals = 600 / (1 + masterSkew / 256);
        assert.ok(Math.abs(master.adverts - intervals) <= 2, `${master.adverts} adverts`);
      });
    }
  }
});
