// How much work many instances make: counted, never timed. Four times the instances make four times
// the work, in each part of their life; what grows with the square makes sixteen times as much.
import { ok } from 'node:assert/strict';
import { afterEach, describe, mock, test } from 'node:test';
import { InterfaceUsability } from '../../../src/daemon/instance/interface-usability.ts';
import { Election } from '../../../src/election/machine.ts';
import { InstanceReadiness } from '../../../src/readiness/instance.ts';
import { LinkReadiness } from '../../../src/readiness/link.ts';
import { configOf, Scene } from '../../support/daemon-scene.ts';

const [FEW, MANY] = [50, 200];
const TIMES = MANY / FEW;
/** Batches and turns of the loop are cut a little differently. */
const SLACK = 1.25;

/** What is counted, by the method that does it. */
const COUNTED = {
  'evaluations of gates': () => mock.method(InstanceReadiness.prototype, 'evaluate'),
  'looks for whom to ask': () => mock.method(InstanceReadiness.prototype, 'wishes'),
  'pictures of an instance': () => mock.method(InstanceReadiness.prototype, 'snapshot'),
  'steps of the link': () => mock.method(LinkReadiness.prototype, 'step'),
  'steps of elections': () => mock.method(Election.prototype, 'step'),
  'pictures of elections': () => mock.method(Election.prototype, 'snapshot'),
  'looks at the interface': () => mock.method(InterfaceUsability.prototype, 'update'),
} as const;

type Counts = Readonly<Record<string, number>>;

/** The life of so many masters beside as many backups: the work of each part of it. */
async function lifeOf(count: number): Promise<Readonly<Record<string, Counts>>> {
  const instances = Object.fromEntries(
    Array.from({ length: count }, (_, index) => {
      return [`i${index}`, { vhid: index + 1, address: `10.9.1.${index + 1}/32` }];
    }),
  );
  const config = configOf(instances);
  const names = Object.keys(instances);
  const scene = new Scene();
  const counters = Object.entries(COUNTED).map(([name, begin]) => [name, begin().mock] as const);
  const parts: Record<string, Counts> = {};
  const [nodeHost, peerHost] = [scene.host(), scene.host()];
  const counted = async (part: string, life: () => Promise<unknown>): Promise<void> => {
    for (const [, counter] of counters) counter.resetCalls();
    const commands = nodeHost.commands.length + peerHost.commands.length;
    await life();
    const made = counters.map(([name, counter]) => [name, counter.callCount()]);
    const started = nodeHost.commands.length + peerHost.commands.length - commands;
    parts[part] = { ...(Object.fromEntries(made) as Counts), processes: started };
  };
  const all = (node: { state(name: string): unknown }, state: string): boolean =>
    names.every((name) => node.state(name) === state);

  const node = await scene.boot(config, nodeHost);
  await counted('all become master', () =>
    scene.time.until('masters', () => all(node, 'MASTER'), 20_000),
  );
  const peer = await scene.boot(config, peerHost);
  await counted('all become backup', () =>
    scene.time.until('backups', () => all(peer, 'BACKUP'), 20_000),
  );
  await scene.time.pass(5_000);
  await counted('ten quiet seconds', () => scene.time.pass(10_000));
  await counted('a planned stop', async () => {
    await node.stop();
    await scene.time.until('successors', () => all(peer, 'MASTER'), 20_000);
  });
  await peer.stop();
  mock.restoreAll();
  return parts;
}

describe('work in proportion to the number of instances', () => {
  afterEach(() => mock.restoreAll());

  test('in every part of their life', async () => {
    const few = await lifeOf(FEW);
    const many = await lifeOf(MANY);
    const faults: string[] = [];
    for (const [part, counts] of Object.entries(few)) {
      for (const [what, before] of Object.entries(counts)) {
        const after = many[part]?.[what] ?? Infinity;
        // What is little with both is a matter of turns, and not of instances.
        if (after > (before * TIMES + MANY) * SLACK)
          faults.push(`${part}: ${what} ${before} with ${FEW}, ${after} with ${MANY}`);
      }
    }
    ok(faults.length === 0, faults.join('\n'));
  });
});
