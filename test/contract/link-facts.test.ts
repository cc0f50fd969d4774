// What interfaces stand on, read from a real kernel, in a network namespace (needs root). Real
// bonds and VLANs are in test/bond.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { resolveStack, type LinkStack } from '../../src/linux/links/link-facts.ts';
import { openLinkWatch, type LinkWatch } from '../../src/linux/links/link-watch.ts';
import { eventually } from '../../lab/wait.ts';
import { inNamespace, shell } from './namespace.ts';

const WITHIN_MS = 5_000;
/** Long enough for an answer that nothing shows the arrival of. */
const ANSWER_MS = 300;

function names({ uplinks }: LinkStack): readonly string[] {
  return uplinks.map(({ name }) => name);
}

/** Opens a watch on what `commands` make; removes the interfaces in the end. */
async function onLinks(
  commands: string,
  made: readonly string[],
  body: (watch: LinkWatch) => Promise<void>,
): Promise<void> {
  await shell(commands);
  const watch = await openLinkWatch({
    onChange: () => undefined,
    onError: (error) => {
      throw error;
    },
  });
  try {
    await body(watch);
  } finally {
    watch.close();
    await shell(made.map((name) => `ip link del ${name} || :`).join('\n'));
  }
}

inNamespace(import.meta.url, () => {
  describe('real stacks', () => {
    test('a veth is plain; its carrier and the losses of it are counted', () =>
      onLinks('ip link add v0 type veth peer name v1; ip link set v1 up', ['v0'], async (watch) => {
        const facts = (): ReturnType<typeof resolveStack>['facts'] =>
          resolveStack(watch, 'v0').facts;
        equal(facts()?.carrier, false);
        await shell('ip link set v0 up');
        await eventually(() => facts()?.carrier === true, { withinMs: WITHIN_MS, what: 'carrier' });
        const losses = facts()?.carrierLosses;
        ok(losses !== undefined, 'this kernel counts');
        await shell('ip link set v1 down');
        await eventually(() => facts()?.carrier === false, { withinMs: WITHIN_MS, what: 'loss' });
        equal(facts()?.carrierLosses, losses + 1);
        deepEqual(facts()?.lower, { kind: 'plain' });
        deepEqual(names(resolveStack(watch, 'v0')), ['v0']);
      }));

    test('a macvlan on a veth', () =>
      onLinks(
        `ip link add v0 type veth peer name v1; ip link set v0 up; ip link set v1 up
         ip link add link v0 name m0 type macvlan mode bridge; ip link set m0 up`,
        ['v0'],
        async (watch) => {
          const stack = (): LinkStack => resolveStack(watch, 'm0');
          await eventually(() => stack().facts?.carrier === true, {
            withinMs: WITHIN_MS,
            what: 'carrier',
          });
          const [m0, v0] = ['m0', 'v0'].map((name) => watch.find(name));
          deepEqual(names(stack()), ['v0']);
          deepEqual(stack().polled, [m0?.ifindex, v0?.ifindex]);
          deepEqual(stack().macs, new Set([m0?.mac, v0?.mac]));
          await shell('ip link set v0 down');
          await eventually(() => stack().facts?.carrier === false, {
            withinMs: WITHIN_MS,
            what: 'no carrier',
          });
        },
      ));

    test('a bridge of veths: no uplink until one is named', () =>
      onLinks(
        `ip link add b0 type bridge; ip link set b0 up
         for i in 0 1; do
           ip link add v$i type veth peer name w$i; ip link set v$i master b0 up
           ip link set w$i up
         done`,
        ['b0', 'v0', 'v1'],
        async (watch) => {
          deepEqual(resolveStack(watch, 'b0').faults, [{ kind: 'no-uplink', bridge: 'b0' }]);
          const stack = (): LinkStack => resolveStack(watch, 'b0', ['v1']);
          await eventually(() => stack().facts?.carrier === true, {
            withinMs: WITHIN_MS,
            what: 'carrier',
          });
          deepEqual([names(stack()), stack().faults], [['v1'], []]);
          await shell('ip link set w1 down');
          await eventually(() => stack().facts?.carrier === false, {
            withinMs: WITHIN_MS,
            what: 'the loss of the uplink',
          });
          watch.ask(stack().polled);
          await sleep(ANSWER_MS);
          watch.drain();
          equal(watch.find('b0')?.lowerUp, true, 'the bridge has carrier by its other port');
        },
      ));

    test('a port that leaves its bridge and is back at once, or blocks and forwards', () =>
      onLinks(
        `ip link add b0 type bridge; ip link set b0 up
         ip link add v0 type veth peer name v1; ip link set v1 up; ip link set v0 master b0 up`,
        ['b0', 'v0'],
        async (watch) => {
          const facts = (): LinkStack['facts'] => resolveStack(watch, 'b0', ['v0']).facts;
          // The bridge blocks a port before it leaves: that may count twice.
          const more = async (before: number): Promise<number> => {
            const losses = (): number => facts()?.uplinkLosses ?? 0;
            const isSo = (): boolean => facts()?.carrier === true && losses() > before;
            await eventually(isSo, { withinMs: WITHIN_MS, what: 'a loss, and carrier' });
            return losses();
          };
          equal(await more(-1), 0);
          await shell("printf 'link set v0 %s\\n' nomaster 'master b0' | ip -batch -");
          const left = await more(0);
          await shell('bridge link set dev v0 state 0; bridge link set dev v0 state 3');
          ok((await more(left)) > left, 'it stopped forwarding');
        },
      ));

    test('a cable to another bridge leads to the ports of that', () =>
      onLinks(
        `for i in 0 1; do ip link add b$i type bridge; ip link set b$i up; done
         ip link add c0 type veth peer name c1; ip link add v0 type veth peer name v1
         ip link set c0 master b0 up; ip link set c1 master b1 up
         ip link set v0 master b1 up; ip link set v1 up`,
        ['b0', 'b1', 'c0', 'v0'],
        async (watch) => {
          const stack = (): LinkStack => resolveStack(watch, 'b0', ['v0']);
          const carrier = (wanted: boolean): Promise<unknown> =>
            eventually(() => stack().facts?.carrier === wanted, {
              withinMs: WITHIN_MS,
              what: `carrier: ${String(wanted)}`,
            });
          await carrier(true);
          deepEqual([names(stack()), stack().faults], [['v0'], []]);
          await shell('ip link set v1 down');
          await carrier(false);
          await shell('ip link set v1 up');
          await carrier(true);
          await shell('ip link set c1 nomaster');
          await carrier(false);
          deepEqual(stack().faults, [{ kind: 'uplink-apart', name: 'v0', bridge: 'b0' }]);
        },
      ));

    test('a macvlan whose lower device is in another namespace', async (t) => {
      const other = await namespaceHolder();
      t.after(() => other.kill('SIGKILL'));
      const pid = String(other.pid);
      const inside = `nsenter -t ${pid} -n ip`;
      await onLinks(
        `ip link add v0 type veth peer name v1; ip link set v1 up; ip link set v0 netns ${pid}
         ${inside} link set v0 up; ${inside} link add link v0 name m0 type macvlan
         ${inside} link set m0 netns ${process.pid}; ip link set m0 up`,
        ['m0', 'v1'],
        async (watch) => {
          await eventually(() => resolveStack(watch, 'm0').facts?.carrier === true, {
            withinMs: WITHIN_MS,
            what: 'carrier',
          });
          const m0 = watch.find('m0');
          ok(m0?.link !== undefined && m0.linkElsewhere === true, 'it says where it stands');
          const stack = resolveStack(watch, 'm0');
          deepEqual(stack.facts?.lower, { kind: 'unseen' });
          deepEqual(stack.polled, [m0.ifindex]);
          deepEqual(names(stack), ['m0']);
        },
      );
    });
  });
});

/** A process in a network namespace of its own, which lasts as long as the process. */
async function namespaceHolder(): Promise<ChildProcess> {
  const child = spawn('sh', ['-c', 'exec unshare --net sh -c "echo ready; exec sleep 60"'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}
