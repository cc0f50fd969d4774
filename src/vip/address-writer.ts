// One attempt to bring a virtual IP onto its interface or off it: plan, run, and look whether the
// interface shows it.
import { judgeIp, type VipFault } from './ip-outcome.ts';
import { addCommand, isPresent, planVip, takenAlong, type PlanWarning, type Vip } from './plan.ts';
import type { AddressView, ObservedAddress, RunCommand, StartTimer } from './ports.ts';

/** `interrupted`: a newer wish came before this one was reached. */
export type Attempt =
  | { readonly kind: 'reached' }
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'fault'; readonly fault: VipFault };

/**
 * What is to be told apart from how an attempt ended. `taken-along`: deleting the address made the
 * kernel delete others of its prefix; where `restored`, they were put back, though routes through
 * them were not. Setting net.ipv4.conf.INTERFACE.promote_secondaries to 1 prevents it.
 */
export type WriterNotice =
  | {
      readonly kind: 'taken-along';
      readonly addresses: readonly ObservedAddress[];
      readonly restored: boolean;
    }
  | { readonly kind: 'warning'; readonly warning: PlanWarning };

export interface WriterOptions {
  readonly vip: Vip;
  readonly runCommand: RunCommand;
  readonly addresses: AddressView;
  readonly startTimer: StartTimer;
  /** The environment of `ip`: PATH, and nothing that is secret. */
  readonly env: Readonly<Record<string, string>>;
  readonly onNotice: (notice: WriterNotice) => void;
}

/** `ip` answers in milliseconds; it hangs only while another process holds the kernel's lock. */
const COMMAND_TIMEOUT_MS = 2_000;
/** How long the interface may take to show what a command did. */
const VERIFY_TIMEOUT_MS = 1_000;
const OUTPUT_BYTES_MAX = 4_096;

/** Carries out single attempts; the caller never has two under way. */
export class AddressWriter {
  readonly #options: WriterOptions;
  /** A command may have done what the interface has not shown yet: what is seen may be old. */
  #uncertain = false;
  #recheck: (() => void) | undefined;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /** Looks again, where an attempt is waiting: the interface or the wish has changed. */
  wake(): void {
    this.#recheck?.();
  }

  /** Whether the interface shows the address now. */
  seesAddress(): boolean {
    return isPresent(this.#options.vip, this.#options.addresses.observe());
  }

  /** Makes the address present or absent; gives up between two steps once it is not wanted. */
  async attempt(present: boolean, stillWanted: () => boolean): Promise<Attempt> {
    const { vip, onNotice } = this.#options;
    const viewIsOld = this.#uncertain;
    const before = this.#believed(present);
    const plan = planVip(vip, present, before);
    for (const warning of plan.warnings) onNotice({ kind: 'warning', warning });
    let firstFault: VipFault | undefined;
    let changed = false;
    for (const argv of plan.commands) {
      if (!stillWanted()) return { kind: 'interrupted' };
      const outcome = await this.#run(argv);
      if (outcome.kind === 'fault') firstFault ??= outcome.fault;
      else changed ||= outcome.kind === 'done';
      this.#uncertain ||= outcome.kind !== 'fault' || outcome.mayHaveWorked;
    }
    const end =
      firstFault === undefined
        ? await this.#lookAtEnd(present, stillWanted)
        : this.#endOfFault(present, viewIsOld, firstFault);
    if (end.kind === 'reached') this.#uncertain = false;
    if (changed) await this.#putBackTakenAlong(before);
    return end;
  }

  /**
   * What to plan from. While it is not known what the last command did, the view is taken to show
   * the opposite of what is wanted, so that the command is run: it does no harm where not needed.
   */
  #believed(present: boolean): readonly ObservedAddress[] {
    const { vip, addresses } = this.#options;
    const observed = addresses.observe();
    if (!this.#uncertain || isPresent(vip, observed) !== present) return observed;
    if (!present) return [...observed, vip];
    return observed.filter(
      (seen) => seen.interfaceName !== vip.interfaceName || seen.address !== vip.address,
    );
  }

  async #run(argv: readonly string[]): Promise<ReturnType<typeof judgeIp>> {
    const { runCommand, env } = this.#options;
    const command = runCommand({
      argv,
      env,
      timeoutMs: COMMAND_TIMEOUT_MS,
      outputBytesMax: OUTPUT_BYTES_MAX,
    });
    return judgeIp(argv, await command.result);
  }

  /**
   * A command that failed may have worked all the same. The view is believed in that, unless it was
   * behind before the command: then it may show as reached what an earlier command has undone.
   */
  #endOfFault(present: boolean, viewIsOld: boolean, fault: VipFault): Attempt {
    const reached = !viewIsOld && this.seesAddress() === present;
    return reached ? { kind: 'reached' } : { kind: 'fault', fault };
  }

  async #lookAtEnd(present: boolean, stillWanted: () => boolean): Promise<Attempt> {
    if (await this.#shown(present, stillWanted)) return { kind: 'reached' };
    if (!stillWanted()) return { kind: 'interrupted' };
    const { interfaceName } = this.#options.vip;
    const detail = `${interfaceName} ${present ? 'does not show' : 'still shows'} the address`;
    return { kind: 'fault', fault: { reason: 'not-verified', detail } };
  }

  /** Waits for the interface to show the wanted state; no longer than a newer wish allows. */
  #shown(present: boolean, stillWanted: () => boolean): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (shown: boolean): void => {
        this.#recheck = undefined;
        cancelTimer();
        resolve(shown);
      };
      const cancelTimer = this.#options.startTimer(VERIFY_TIMEOUT_MS, () => {
        finish(this.seesAddress() === present);
      });
      this.#recheck = () => {
        if (this.seesAddress() === present) finish(true);
        else if (!stillWanted()) finish(false);
      };
      this.#recheck();
    });
  }

  async #putBackTakenAlong(before: readonly ObservedAddress[]): Promise<void> {
    const { vip, addresses, onNotice } = this.#options;
    const taken = takenAlong(vip, before, addresses.observe());
    if (taken.length === 0) return;
    let restored = true;
    for (const address of taken) {
      const outcome = await this.#run(addCommand(address));
      restored &&= outcome.kind !== 'fault';
    }
    onNotice({ kind: 'taken-along', addresses: taken, restored });
  }
}
