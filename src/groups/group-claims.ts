// The groups that a daemon serves: none is begun that another process of this host serves already.
import { CarpdError } from '../base/errors.ts';
import type { InstanceConfig } from '../config/config.ts';
import { describeHeld, describeHolder, type GroupHolder } from '../linux/sockets/group-lock.ts';
import type { LinkWatch } from '../linux/links/link-watch.ts';
import { GroupClaim, placeOf } from './group-claim.ts';
import type { Ports } from '../ports/ports.ts';

export type GroupClaimsOptions = Pick<Ports, 'startTimer' | 'lockGroup' | 'groupHolder' | 'pid'>;

/** A daemon may be about to end and not know it yet: its interface was just set down. */
const GRACE_MS = 1_000;
/** Hooks and `ip` have their time limits; a holder that is leaving is awaited for longer. */
const LEAVING_MS_MAX = 20_000;
const LOOK_MS = 50;

/** The groups that this daemon has locked, one claim for each instance. */
export class GroupClaims {
  readonly #options: GroupClaimsOptions;
  readonly #claims = new Map<string, GroupClaim>();

  constructor(options: GroupClaimsOptions) {
    this.#options = options;
  }

  /**
   * Takes the groups of all these whose interfaces exist. Waits for a holder that is leaving;
   * rejects with CARPD_GROUP, holding none, where one stays. Resolves to false, holding none, where
   * `isInVain` says meanwhile that nobody needs them any more.
   */
  async takeAll(
    configs: readonly InstanceConfig[],
    links: LinkWatch,
    isInVain: () => boolean,
  ): Promise<boolean> {
    for (let waitedMs = 0; ; waitedMs += LOOK_MS) {
      if (isInVain()) {
        this.#releaseAll();
        return false;
      }
      const conflict = this.#take(configs, links);
      if (conflict === undefined) return true;
      if (waitedMs >= (conflict.holder.leaving ? LEAVING_MS_MAX : GRACE_MS)) {
        this.#releaseAll();
        throw groupError(conflict);
      }
      await new Promise<void>((resolve) => void this.#options.startTimer(LOOK_MS, resolve));
    }
  }

  /** Those that may begin now, and why each of the others may not, by its name. */
  sort(
    configs: readonly InstanceConfig[],
    links: LinkWatch,
  ): {
    readonly allowed: readonly InstanceConfig[];
    readonly refused: ReadonlyMap<string, string>;
  } {
    const { groupHolder, pid } = this.#options;
    const refused = new Map<string, string>();
    for (const config of configs) {
      const ifindex = links.find(config.interfaceName)?.ifindex;
      const holder = ifindex === undefined ? undefined : groupHolder(placeOf(config, ifindex));
      // What this process holds is given up, or exchanged, by the same reload.
      if (holder === undefined || holder.pid === pid) continue;
      const { message } = groupError({ config, holder });
      refused.set(config.name, `${message}. The new form of this instance is not in force`);
    }
    return { allowed: configs.filter(({ name }) => !refused.has(name)), refused };
  }

  /** The claim of an instance that is being made, with what it holds already. */
  of(config: InstanceConfig): GroupClaim {
    const claim = this.#claims.get(config.name) ?? this.#create(config);
    // Only for its beginning: the instance lets go of it at its end.
    this.#claims.delete(config.name);
    return claim;
  }

  #create(config: InstanceConfig): GroupClaim {
    const { startTimer, lockGroup } = this.#options;
    return new GroupClaim({ config, startTimer, lockGroup });
  }

  #releaseAll(): void {
    for (const claim of this.#claims.values()) claim.release();
  }

  #take(configs: readonly InstanceConfig[], links: LinkWatch): Conflict | undefined {
    for (const config of configs) {
      const claim = this.#claims.get(config.name) ?? this.#create(config);
      this.#claims.set(config.name, claim);
      const claimed = claim.take(links.find(config.interfaceName)?.ifindex);
      if (claimed.kind === 'held') return { config, holder: claimed.holder };
    }
    return undefined;
  }
}

interface Conflict {
  readonly config: InstanceConfig;
  readonly holder: GroupHolder;
}

function groupError({ config, holder }: Conflict): CarpdError {
  const { name, interfaceName } = config;
  const own = holder.has === 'group' ? 'vhid' : 'address';
  return new CarpdError(
    'CARPD_GROUP',
    `instances.${name}`,
    `${describeHolder(holder)} ${describeHeld(holder, placeOf(config, 0), interfaceName)} ` +
      `already; stop that one first, or give this instance another ${own}`,
  );
}
