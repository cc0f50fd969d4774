// The hooks of one instance, for real: run one after the other, with what they print and how they
// end reported to the log and to the election.
import type { InstanceConfig } from '../../config/config.ts';
import type { InstanceEvents } from '../../events/publish/instance-events.ts';
import type { Ports } from '../../ports/ports.ts';
import type { InstanceInput } from '../../segment/inputs.ts';
import { HookLane, type HookReport, type HookRequest } from '../../vip/hooks.ts';
import type { HookSlots } from '../../vip/hook-slots.ts';
import { HookRights } from '../../vip/hook-rights.ts';

export interface MasterHooksOptions extends Pick<
  Ports,
  'now' | 'startTimer' | 'runCommand' | 'env' | 'isRoot'
> {
  /** As it is in force now: a reload may change it in place. */
  readonly config: () => InstanceConfig;
  readonly hookSlots: HookSlots;
  /** The name of the interface now. */
  readonly interfaceName: () => string;
  readonly instanceEvents: InstanceEvents;
  /** What a hook that is due gets in its environment. */
  readonly situation: () => Readonly<Record<string, string>>;
  /** Queues work for the loop. */
  readonly post: (run: () => void) => void;
  readonly feed: (input: InstanceInput) => void;
}

/** Runs the hooks of one instance. */
export class MasterHooks {
  readonly #options: MasterHooksOptions;
  readonly #lane: HookLane;
  #pending = 0;

  constructor(options: MasterHooksOptions) {
    this.#options = options;
    this.#lane = this.#createLane();
  }

  /** A hook is due or runs. */
  get busy(): boolean {
    return this.#pending > 0;
  }

  /** One more is due: `run` follows. */
  due(): void {
    this.#pending += 1;
  }

  run(request: HookRequest): void {
    this.#lane.run({ ...request, env: this.#options.situation() });
  }

  /**
   * Ends them, but for a down hook that runs: it does what is wanted. Returns whether a down hook
   * is still to be run.
   */
  abandon(): boolean {
    return this.#lane.abandon();
  }

  #finished(report: HookReport): void {
    this.#pending -= 1;
    this.#options.instanceEvents.hookFinished(report);
    this.#options.feed({ kind: 'hook-finished', hook: report.hook, term: report.term });
  }

  #createLane(): HookLane {
    const { config, post, instanceEvents, now } = this.#options;
    const rights = new HookRights(this.#options.isRoot);
    return new HookLane({
      ...this.#options,
      interfaceName: config().interfaceName,
      currentName: this.#options.interfaceName,
      address: config().address.ip,
      hooks: () => config().hooks,
      movesAddress: () => !config().manageAddress,
      clock: now,
      onLine: (line, hook) => {
        rights.line(line);
        instanceEvents.hookLine(line, hook);
      },
      onFinished: (report) => {
        const explained = rights.explain(report);
        post(() => this.#finished(explained));
      },
    });
  }
}
