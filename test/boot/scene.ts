// What the boots share: who has the virtual IP, what became of the two nodes, and the switch's port
// channel, which has link and LACP and passes nothing until it is told to.
import { equal, notEqual } from 'node:assert/strict';
import type { Scope } from '../../lab/namespaces.ts';
import { eventually, sparsely, throughout } from '../../lab/wait.ts';
import { Machine } from './machine.ts';

/** Longer than a boot goes on, or a new election takes, on a busy machine. */
const SOON_MS = 240_000;
const POLL_MS = 300;

const HOLDERS = `
ip -oneline addr show dev bond0 | grep -qw 10.9.0.100/32 && echo node
ip -n peer -oneline addr show | grep -qw 10.9.0.100/32 && echo peer
true`;

// 63: active, fast, aggregated, in sync, collecting, distributing; both the node and its partner.
const FORMED = `
test "$(cat /sys/class/net/bond0/carrier /sys/class/net/bond0/operstate)" = "$(printf '1\\nup')"
test "$(grep -c 'port state: 63' /proc/net/bonding/bond0)" = 4`;

/** A step in the life of a ucarp: what it became, and how long after the boot. */
export interface Step {
  readonly atS: number;
  readonly to: string;
}

/** Where a ucarp runs: the peer's own unit, or the one that ifupdown starts on the node. */
export type UcarpUnit = 'lab-peer' | 'networking';

/** The node that boots, with the switch and the healthy peer in namespaces of the same machine. */
export class Scene {
  readonly machine: Machine;

  private constructor(machine: Machine) {
    this.machine = machine;
  }

  /** Boots a disk and waits until the peer serves and the node's link looks as it should. */
  static async boot(scope: Scope, disk: string): Promise<Scene> {
    const scene = new Scene(await Machine.boot(scope, disk));
    await scene.linkLooksUp();
    return scene;
  }

  /** The system is up, carrier and LACP are there, the peer serves; and no frame passes. */
  async linkLooksUp(): Promise<void> {
    const { machine } = this;
    const isUp = async (): Promise<boolean> =>
      /^(running|degraded)$/.test((await machine.run('systemctl is-system-running')).output.trim());
    await this.#soon('the system to be up', isUp);
    equal(await machine.sh('systemctl --failed --plain --no-legend'), '', 'units failed');
    await this.#soon('LACP to form', async () => (await machine.run(FORMED)).code === 0);
    const isServed = async (): Promise<boolean> =>
      (await this.ucarp('lab-peer')).at(-1)?.to === 'MASTER';
    await this.#soon('the peer to serve', isServed);
    notEqual((await machine.run('ping -c 1 -W 2 10.9.0.20')).code, 0, 'a frame came through');
  }

  /** The switch's port channel passes frames from now on. */
  async forward(): Promise<void> {
    await this.machine.sh('ip -n switch link set channel master br0');
  }

  /** Who has the virtual IP: "", "node", "peer" or "node peer". */
  async holders(): Promise<string> {
    return (await this.machine.sh(HOLDERS)).replace('\n', ' ');
  }

  async becomesHeldBy(holders: string): Promise<void> {
    const isHeld = async (): Promise<boolean> => (await this.holders()) === holders;
    await this.#soon(`the virtual IP to be on: ${holders}`, isHeld);
  }

  /** Fails as soon as anybody else has the virtual IP, or the node is not what it says it is. */
  async staysHeldBy(holders: string, forMs: number, status?: RegExp): Promise<void> {
    let seen = '';
    const stays = async (): Promise<boolean> => {
      const found = await this.holders();
      const said = status === undefined ? '' : await this.status();
      seen = `it is on: ${found}; ${said}`;
      return found === holders && (status?.test(said) ?? true);
    };
    const what = `the virtual IP on: ${holders}`;
    await throughout(sparsely(POLL_MS, stays), { forMs, what, detail: () => seen });
  }

  /** What `systemctl status carpd` says of the node in one line. */
  status(): Promise<string> {
    return this.machine.sh('systemctl show --property=StatusText --value carpd');
  }

  mainPid(): Promise<string> {
    return this.machine.sh('systemctl show --property=MainPID --value carpd');
  }

  async statusBecomes(pattern: RegExp): Promise<void> {
    await this.#soon(String(pattern), async () => pattern.test(await this.status()));
  }

  /** What the journal has of a ucarp, in this boot (0) or the one before (-1). */
  async ucarp(unit: UcarpUnit, boot: 0 | -1 = 0): Promise<readonly Step[]> {
    const lines = await this.machine.sh(
      // First all that was said has to be in it.
      'journalctl --sync; ' +
        `journalctl --quiet --boot=${boot} --output=short-monotonic ` +
        `_TRANSPORT=syslog _SYSTEMD_UNIT=${unit}.service`,
    );
    const steps = lines.matchAll(/^\[ *([\d.]+)\].* Switching to state: (\w+)$/gm);
    return [...steps].map(([, atS, to = '']) => ({ atS: Number(atS), to }));
  }

  async #soon(what: string, probe: () => Promise<boolean>): Promise<void> {
    const detail = (): string => this.machine.tail();
    await eventually(probe, { withinMs: SOON_MS, everyMs: POLL_MS, what, detail });
  }
}

/** The states alone, with spaces between. */
export function names(steps: readonly Step[]): string {
  return steps.map(({ to }) => to).join(' ');
}

/** The steps for a report, such as "BACKUP at 8.2 s, MASTER at 11.7 s". */
export function story(steps: readonly Step[]): string {
  return steps.map(({ atS, to }) => `${to} at ${atS.toFixed(1)} s`).join(', ');
}
