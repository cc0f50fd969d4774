// The reconciler and the hook lane with the real `ip`, real scripts and the real kernel, in network
// namespaces. Needs root.
import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { parseIpv4 } from '../../src/base/addresses.ts';
import { now } from '../../src/linux/system/clock.ts';
import { runCommand } from '../../src/linux/system/command.ts';
import { HookSlots } from '../../src/vip/hook-slots.ts';
import { HookLane, hookEnvironment, type HookReport } from '../../src/vip/hooks.ts';
import { isPresent } from '../../src/vip/plan.ts';
import { AddressKeeper } from '../../src/vip/keeper.ts';
import type { AddressView, ObservedAddress, Place, RunCommand } from '../../src/vip/ports.ts';
import { VipReconciler } from '../../src/vip/reconciler.ts';
import type { VipNotice, VipOutcome } from '../../src/vip/vip-outcome.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import { Changes } from '../../lab/wait.ts';
import { ip } from '../unit/vip/fakes.ts';

const skip = await labSkipReason();

const VIP = { address: ip('10.9.0.100'), prefixLength: 24 };
const REAL = '10.9.0.10/24';
const WITHIN_MS = 10_000;

const startTimer = (delayMs: number, onExpired: () => void): (() => void) => {
  const timer = setTimeout(onExpired, delayMs);
  return () => clearTimeout(timer);
};

/** What is on the host's eth0, read anew after every line of `ip monitor`, and so later. */
class MonitoredAddresses implements AddressView {
  readonly #host: Host;
  readonly #listeners = new Set<() => void>();
  #addresses: readonly ObservedAddress[] = [];
  #place: Place | undefined;
  #reading: Promise<void> = Promise.resolve();

  private constructor(host: Host) {
    this.#host = host;
  }

  static async open(host: Host): Promise<MonitoredAddresses> {
    const view = new MonitoredAddresses(host);
    const monitor = host.spawn(['stdbuf', '-oL', 'ip', 'monitor', 'address', 'link']);
    // It does not say when it begins to listen: change something until it tells of that.
    for (let tries = 0; tries < 100 && monitor.lines.length === 0; tries += 1) {
      await host.ip('addr', 'add', '10.99.0.1/32', 'dev', 'lo');
      await host.ip('addr', 'del', '10.99.0.1/32', 'dev', 'lo');
    }
    monitor.onLine(() => view.#readNext());
    view.#readNext();
    await view.#reading;
    return view;
  }

  current(): Place | undefined {
    return this.#place;
  }

  drain(): void {
    // What `ip monitor` has not told yet can't be had sooner.
  }

  onNotice(): () => void {
    return () => undefined;
  }

  observe(): readonly ObservedAddress[] {
    return this.#addresses;
  }

  onChanged(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** One after the other, so that an old answer never comes after a newer one. */
  #readNext(): void {
    this.#reading = this.#reading
      .then(async () => {
        const links = await linksOf(this.#host);
        this.#place = links.map(({ ifname: name, ifindex }) => ({ name, ifindex }))[0];
        this.#addresses = addressesIn(links);
        for (const listener of [...this.#listeners]) listener();
      })
      // The last lines come while the namespace is being removed.
      .catch(() => undefined);
  }
}

interface IpAddressJson {
  readonly ifname: string;
  readonly ifindex: number;
  readonly addr_info: readonly {
    readonly local: string;
    readonly prefixlen: number;
    readonly secondary?: boolean;
  }[];
}

/** One, or none where there is no such interface. */
async function linksOf(host: Host): Promise<readonly IpAddressJson[]> {
  const links = JSON.parse(await host.ip('-4', '-j', 'addr', 'show')) as readonly IpAddressJson[];
  return links.filter(({ ifname }) => ifname === host.interface);
}

function addressesIn(links: readonly IpAddressJson[]): readonly ObservedAddress[] {
  return links.flatMap(({ addr_info: infos }) =>
    infos.map(({ local, prefixlen, secondary = false }) => ({
      address: ip(local),
      prefixLength: prefixlen,
      secondary,
    })),
  );
}

async function addressesOf(host: Host): Promise<readonly ObservedAddress[]> {
  return addressesIn(await linksOf(host));
}

/** The reconciler of one host, and what it says. */
interface Subject {
  readonly host: Host;
  readonly reconciler: VipReconciler;
  readonly outcome: () => Promise<VipOutcome>;
  readonly notice: () => Promise<VipNotice>;
  readonly present: () => Promise<boolean>;
}

async function subject(
  t: TestContext,
  prepare: (host: Host) => Promise<void> = () => Promise.resolve(),
  wrap: (run: RunCommand) => RunCommand = (run) => run,
): Promise<Subject> {
  const lab = await Lab.create(t);
  const host = await lab.host('a', REAL);
  await prepare(host);
  const addresses = await MonitoredAddresses.open(host);
  const changes = new Changes();
  const outcomes: VipOutcome[] = [];
  const notices: VipNotice[] = [];
  const inside: RunCommand = (request) =>
    runCommand({ ...request, argv: ['ip', 'netns', 'exec', host.netns, ...request.argv] });
  const keeper = new AddressKeeper({
    runCommand: wrap(inside),
    addresses,
    startTimer,
    env: { PATH: process.env['PATH'] ?? '' },
    promotion: undefined,
    isServedElsewhere: () => false,
  });
  const reconciler = new VipReconciler({
    vip: VIP,
    keeper,
    startTimer,
    clock: now,
    mayAnotherServe: () => true,
    onOutcome: (outcome) => {
      outcomes.push(outcome);
      changes.notify();
    },
    onNotice: (notice) => {
      notices.push(notice);
      changes.notify();
    },
  });
  t.after(() => {
    reconciler.close();
    keeper.close();
  });
  const next = <Item>(items: Item[], what: string): Promise<Item> =>
    changes.until(() => items.shift(), { withinMs: WITHIN_MS, what });
  return {
    host,
    reconciler,
    outcome: () => next(outcomes, 'an outcome'),
    notice: () => next(notices, 'a notice'),
    present: async () => isPresent(VIP, await addressesOf(host)),
  };
}

describe('the reconciler with the real ip', { skip }, () => {
  it('adds and deletes the address beside the real one', async (t) => {
    const { host, reconciler, outcome, present } = await subject(t);
    reconciler.want({ term: 1, present: true });
    assert.deepEqual(await outcome(), { kind: 'claimed', term: 1 });
    assert.equal(await present(), true);
    const routes = await host.ip('route', 'show', '10.9.0.0/24');
    assert.equal(routes.trim().split('\n').length, 1, 'no second route');
    reconciler.want({ term: 2, present: false });
    assert.deepEqual(await outcome(), { kind: 'released', term: 2 });
    assert.equal(await present(), false);
    assert.equal((await addressesOf(host)).length, 1);
  });

  it('obeys the last of many wishes', async (t) => {
    const { reconciler, outcome, present } = await subject(t);
    for (let term = 1; term <= 9; term += 1) reconciler.want({ term, present: term % 2 === 1 });
    for (let term = 1; term <= 8; term += 1) assert.equal((await outcome()).kind, 'superseded');
    assert.deepEqual(await outcome(), { kind: 'claimed', term: 9 });
    assert.equal(await present(), true);
  });

  it('understands what this kernel says of an address that is there, or is not', async (t) => {
    // The view is kept from the reconciler's plan by commands that are run twice.
    const twice =
      (run: RunCommand): RunCommand =>
      (request) => {
        const first = run(request);
        return { ...first, result: first.result.then(() => run(request).result) };
      };
    const { reconciler, outcome, present } = await subject(t, undefined, twice);
    reconciler.want({ term: 1, present: true });
    assert.deepEqual(await outcome(), { kind: 'claimed', term: 1 });
    assert.equal(await present(), true);
    reconciler.want({ term: 2, present: false });
    assert.deepEqual(await outcome(), { kind: 'released', term: 2 });
    assert.equal(await present(), false);
  });

  it('cleans up every occurrence at the start', async (t) => {
    const { host, reconciler } = await subject(t, async (made) => {
      await made.ip('addr', 'add', '10.9.0.100/24', 'dev', 'eth0');
      await made.ip('addr', 'add', '10.9.0.100/32', 'dev', 'eth0');
    });
    assert.deepEqual(await reconciler.releaseStale(), { kind: 'removed' });
    assert.equal((await addressesOf(host)).length, 1);
    assert.deepEqual(await reconciler.releaseStale(), { kind: 'absent' });
  });

  it('puts a removed address back', async (t) => {
    const { host, reconciler, outcome, notice, present } = await subject(t);
    reconciler.want({ term: 5, present: true });
    await outcome();
    await host.ip('addr', 'del', '10.9.0.100/24', 'dev', 'eth0');
    assert.deepEqual(await notice(), { kind: 'restored', term: 5, replaced: false });
    assert.equal(await present(), true);
  });

  it('says that the interface is missing', async (t) => {
    const { host, reconciler, outcome } = await subject(t);
    await host.ip('link', 'del', 'eth0');
    reconciler.want({ term: 1, present: true });
    const claim = await outcome();
    assert.ok(claim.kind === 'claim-failed');
    assert.equal(claim.fault.reason, 'interface-missing');
    reconciler.want({ term: 2, present: false });
    assert.deepEqual(await outcome(), { kind: 'released', term: 2 });
  });

  it('says that it may not change addresses', async (t) => {
    const { reconciler, outcome } = await subject(t, undefined, (run) => (request) => {
      const unprivileged = ['setpriv', '--bounding-set=-all', '--inh-caps=-all'];
      return run({ ...request, argv: [...unprivileged, ...request.argv] });
    });
    reconciler.want({ term: 1, present: true });
    const claim = await outcome();
    assert.ok(claim.kind === 'claim-failed');
    assert.equal(claim.fault.reason, 'not-permitted', claim.fault.detail);
  });

  it('says that ip is missing', async (t) => {
    const { reconciler, outcome } = await subject(t, undefined, () => (request) => {
      return runCommand({ ...request, argv: ['/nonexistent/ip', ...request.argv.slice(1)] });
    });
    reconciler.want({ term: 1, present: true });
    const claim = await outcome();
    assert.ok(claim.kind === 'claim-failed');
    assert.equal(claim.fault.reason, 'command-missing');
  });
});

describe('the hook lane with real scripts', { skip }, () => {
  async function laneWith(t: TestContext, script: string, timeoutMs = 5_000) {
    const lab = await Lab.create(t);
    const hook = join(lab.directory, 'hook');
    writeFileSync(hook, script);
    chmodSync(hook, 0o755);
    const lines: string[] = [];
    const reports: HookReport[] = [];
    const changes = new Changes();
    const lane = new HookLane({
      hookSlots: new HookSlots(),
      movesAddress: () => false,
      interfaceName: 'eth0',
      address: parseIpv4('10.9.0.100') ?? VIP.address,
      hooks: () => ({
        xparam: 'two words',
        up: [hook, 'first'],
        down: [join(lab.directory, 'missing')],
        timeoutMs,
      }),
      env: { ...hookEnvironment(process.env), LAB: lab.directory },
      runCommand,
      clock: now,
      startTimer,
      onLine: (line, name) => lines.push(`${name}: ${line}`),
      onFinished: (report) => {
        reports.push(report);
        changes.notify();
      },
    });
    t.after(() => void lane.abandon());
    const report = (): Promise<HookReport> =>
      changes.until(() => reports.shift(), { withinMs: WITHIN_MS, what: 'the end of a hook' });
    return { lane, lines, report, hook };
  }

  it('passes the arguments of ucarp and logs the output', async (t) => {
    const script = '#!/bin/sh\nprintf "%s|" "$#" "$@"\necho\necho oops >&2\n';
    const { lane, lines, report } = await laneWith(t, script);
    lane.run({ hook: 'up', term: 1 });
    assert.equal((await report()).result.kind, 'ok');
    assert.deepEqual(lines.sort(), ['up: 4|first|eth0|10.9.0.100|two words|', 'up: oops']);
  });

  it('ends a hook that hangs, and goes on', async (t) => {
    const { lane, report } = await laneWith(t, '#!/bin/sh\nsleep 60 & sleep 60\n', 300);
    lane.run({ hook: 'up', term: 1 });
    lane.run({ hook: 'down', term: 2 });
    const hung = await report();
    assert.equal(hung.result.kind, 'timeout');
    assert.ok(hung.durationMs >= 290 && hung.durationMs < 5_000, String(hung.durationMs));
    const missing = await report();
    assert.ok(missing.result.kind === 'missing');
    assert.match(missing.result.remedy, /missing does not exist/);
  });

  it('tells a hook that fails, and one that may not be executed', async (t) => {
    const { lane, report, hook } = await laneWith(t, '#!/bin/sh\nexit 3\n');
    lane.run({ hook: 'up', term: 1 });
    assert.deepEqual((await report()).result, { kind: 'failed', detail: 'exit code 3' });
    chmodSync(hook, 0o644);
    lane.run({ hook: 'up', term: 2 });
    assert.equal((await report()).result.kind, 'missing');
  });

  it('bounds what a hook that never stops talking may log', async (t) => {
    const { lane, lines, report } = await laneWith(t, '#!/bin/sh\nyes | head -c 5000000\n');
    lane.run({ hook: 'up', term: 1 });
    assert.equal((await report()).result.kind, 'ok');
    assert.equal(lines.length, 201);
  });
});
