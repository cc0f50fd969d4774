// What must hold of a swarm that was left in peace for long enough: one master for each instance,
// which has the address, where clients look for it; and nothing changes any more.
import type { State } from '../../../src/election/effects.ts';
import { settledFaults } from '../invariants.ts';
import { CHANGES_MAX, PROMOTIONS_MAX } from './bounds.ts';
import type { Client } from './client.ts';
import type { SwarmNode } from './node.ts';
import type { Plan, PlannedInstance } from './plan.ts';
import type { StockHost } from './stock-host.ts';

export interface PeaceOptions {
  readonly plan: Plan;
  readonly nodes: readonly SwarmNode[];
  readonly stock: StockHost | undefined;
  readonly clients: readonly Client[];
}

/** How often one instance at one host has changed since peace came. */
interface Changes {
  all: number;
  promotions: number;
}

export class Peace {
  readonly #options: PeaceOptions;
  /** Which stay dead when all the others are healed. */
  readonly #dead = new Set<SwarmNode>();
  #changes = new Map<string, Changes>();
  #isSettled = false;
  #changedSince = false;

  constructor(options: PeaceOptions) {
    this.#options = options;
  }

  died(node: SwarmNode): void {
    this.#dead.add(node);
  }

  isDead(node: SwarmNode): boolean {
    return this.#dead.has(node);
  }

  /** Everything is healed from here on. */
  begin(): void {
    this.#changes = new Map();
  }

  /** Nothing may change from here on. */
  settled(): void {
    this.#isSettled = true;
  }

  changed(who: string, to: State): void {
    const { all, promotions } = this.#changes.get(who) ?? { all: 0, promotions: 0 };
    const more = to === 'MASTER' ? 1 : 0;
    this.#changes.set(who, { all: all + 1, promotions: promotions + more });
    this.#changedSince ||= this.#isSettled;
  }

  /** What is not as it has to be now. */
  faults(): readonly string[] {
    return this.#options.plan.instances.flatMap((instance) => {
      const faults = [...this.#ofServing(instance), ...this.#ofClients(instance)];
      return faults.map((fault) => `${instance.name}: ${fault}`);
    });
  }

  /** What has changed and should not have, since peace came. */
  unrest(): readonly string[] {
    const often = [...this.#changes].filter(([, { all, promotions }]) => {
      return all > CHANGES_MAX || promotions > PROMOTIONS_MAX;
    });
    return [
      ...(this.#changedSince ? ['something changes in peace'] : []),
      ...often.map(([who, { all, promotions }]) => {
        return `${who} has changed ${all} times after healing, ${promotions} times to MASTER`;
      }),
    ];
  }

  #ofServing(instance: PlannedInstance): readonly string[] {
    const { nodes, stock } = this.#options;
    const dead = [...this.#dead].map(({ name }) => name);
    const daemons = nodes.map((node) => ({
      name: node.name,
      alive: node.running !== undefined,
      isMaster: node.state(instance.name) === 'MASTER',
      holdsVip: node.holds(instance),
      mayServe: !this.#dead.has(node),
      eligible: !this.#dead.has(node),
    }));
    const other = stock && {
      ...{ name: stock.name, alive: true, mayServe: true, eligible: true },
      isMaster: stock.isMaster(instance),
      holdsVip: stock.holds(instance),
    };
    const all = other === undefined ? daemons : [...daemons, other];
    return settledFaults(all, ({ name }) => (dead.includes(name) ? 1 : 0));
  }

  /** Whoever asks for the address ever so seldom finds it where it was announced last. */
  #ofClients(instance: PlannedInstance): readonly string[] {
    const { nodes, clients } = this.#options;
    const { name, ip, segment } = instance;
    const master = nodes.find((node) => node.state(name) === 'MASTER');
    const known = clients[segment]?.macOf(ip);
    if (master === undefined || known === undefined || known === master.macOf(segment)) return [];
    return [`clients look for it at ${known}, not at ${master.name}`];
  }
}
