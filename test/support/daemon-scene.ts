// Real daemons on hosts in memory that share a segment, with a gateway that answers ARP, in a time
// that the test lets pass.
import { address } from './packets.ts';
import { EventBus } from '../../src/events/bus.ts';
import type { DomainEvent, EventName, EventOf } from '../../src/events/events.ts';
import { EVENT_NAMES } from '../../src/events/events.ts';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { Daemon } from '../../src/daemon/daemon.ts';
import type { State } from '../../src/election/effects.ts';
import type { InstanceReport } from '../../src/report/report.ts';
import { FakeHost, station } from '../fakes/host.ts';
import { FakeProcess } from '../fakes/host-process.ts';
import { VirtualTime } from '../fakes/time.ts';
import { Wire } from '../fakes/wire.ts';

export const VIP = '10.9.0.100';
export const VIP_CIDR = `${VIP}/24`;
export const GATEWAY = '10.9.0.1';

/** The instances of a configuration; keys that are left out are those of `db`. */
export function configOf(instances: Readonly<Record<string, object>> = { db: {} }): Config {
  const db = { interface: 'eth0', vhid: 7, address: VIP_CIDR, passphrase: 'secret' };
  const all = Object.entries(instances).map(([name, changes]) => [name, { ...db, ...changes }]);
  const file = {
    metrics: { listen: 'off' },
    state: { directory: 'off' },
    instances: Object.fromEntries(all) as Readonly<Record<string, object>>,
  };
  const loaded = loadConfig(JSON.stringify(file), {
    readFile: () => {
      throw new Error('no file is read');
    },
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  return loaded.config;
}

/** A daemon, the process it runs in, and all that it has told. */
export class RunningDaemon {
  readonly process: FakeProcess;
  readonly daemon: Daemon;
  readonly told: DomainEvent[] = [];
  /** Hears of each at once. */
  onTold: (event: DomainEvent) => void = () => undefined;
  interfacesGone = 0;
  readonly #time: VirtualTime;

  constructor(host: FakeHost, config: Config) {
    this.#time = host.time;
    this.process = new FakeProcess(host);
    const events = new EventBus((error) => {
      throw error;
    });
    events.subscribe(EVENT_NAMES, (event) => {
      this.told.push(event);
      this.onTold(event);
    });
    this.daemon = new Daemon({
      config,
      ports: this.process.ports(),
      events,
      version: 'test',
      logLinesDropped: () => 0,
      onInterfaceGone: () => (this.interfacesGone += 1),
    });
  }

  get host(): FakeHost {
    return this.process.host;
  }

  report(name = 'db'): InstanceReport {
    const report = this.daemon.report(name);
    if (report === undefined) throw new Error(`no instance ${name}`);
    return report;
  }

  state(name = 'db'): State | undefined {
    return this.daemon.report(name)?.state;
  }

  /** What was told of one kind. */
  of<Name extends EventName>(name: Name): readonly EventOf<Name>[] {
    return this.told.filter((event): event is EventOf<Name> => event.event === name);
  }

  /** Resolves when the instance is in this state. */
  becomes(state: State, name = 'db', withinMs?: number): Promise<void> {
    const what = `${this.host.name}: ${name} is ${state}`;
    return this.#time.until(what, () => this.state(name) === state, withinMs);
  }

  start(): Promise<void> {
    return this.#time.settled(this.daemon.start());
  }

  stop(): Promise<readonly string[]> {
    return this.#time.settled(this.daemon.stop());
  }

  reload(config: Config): Promise<readonly string[]> {
    return this.#time.settled(this.daemon.reload(config));
  }
}

/** Hosts in memory with a daemon each, as a test wants them. */
export class Scene {
  readonly time = new VirtualTime();
  readonly wire = new Wire(this.time);
  readonly gateway = station('gateway', this.wire, this.time, `${GATEWAY}/24`);
  #hosts = 0;

  /** A host with eth0 on the segment, 10.9.0.11 for the first. */
  host(name = `node${this.#hosts + 1}`, gateways: readonly string[] = [GATEWAY]): FakeHost {
    this.#hosts += 1;
    const host = new FakeHost(name, this.time);
    host.plug('eth0', this.wire, `10.9.0.${10 + this.#hosts}/24`);
    host.gateways = gateways.map(address);
    return host;
  }

  /** A daemon that has started; its instances have not become anything yet. */
  async boot(config = configOf(), host = this.host()): Promise<RunningDaemon> {
    const running = new RunningDaemon(host, config);
    await running.start();
    return running;
  }
}

/** Who of these hosts has the address now, by their names. */
export function holders(hosts: readonly FakeHost[], cidr = VIP_CIDR): readonly string[] {
  return hosts
    .filter((host) => host.links().some(({ name }) => host.addresses(name).includes(cidr)))
    .map(({ name }) => name);
}
