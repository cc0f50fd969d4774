// Keeps all virtual IPs of one interface: the only writer of its addresses. One batch at a time,
// with everything in it that is due; what the kernel took along is put back, but never a virtual IP
// that is not wanted.
import { shellWord } from '../base/command.ts';
import type { Ipv4 } from '../base/addresses.ts';
import { AddressBatch, type BatchOptions, type BatchReport } from './address-batch.ts';
import type { IpOutcome, VipFault } from './ip-outcome.ts';
import { commandLine, deletion, planBatch, type BatchPlan, type Vip } from './plan.ts';
import { lossesOf, type Loss } from './plan-losses.ts';
import type { ObservedAddress, Place, SecondaryPromotion } from './ports.ts';
import { Rescue, type Precaution } from './rescue.ts';

/**
 * How an attempt to make a virtual IP present or absent ended. `interrupted`: a newer wish came
 * before this one was reached.
 */
export type Attempt =
  | { readonly kind: 'reached' }
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'fault'; readonly fault: VipFault };

/**
 * What is reported beside how an attempt ended. `promoted`: other addresses hung on the virtual
 * IP, so promote_secondaries was set while it was deleted; reported once. `taken-along`: deleting
 * the virtual IP made the kernel delete these addresses of the host; they are there again, with
 * their routes, but for what the commands in `unsaved` make.
 * `other-prefix`: the virtual IP is there already, with another prefix length, and is left so.
 */
export type KeeperNotice =
  | {
      readonly kind: 'taken-along';
      readonly addresses: readonly Ipv4[];
      readonly unsaved: readonly string[];
    }
  | { readonly kind: 'promoted' }
  | { readonly kind: 'other-prefix'; readonly prefixLength: number };

/** One attempt that a ward asks for. */
export interface Errand {
  readonly present: boolean;
  /** No newer wish has come. */
  isWanted(): boolean;
  end(attempt: Attempt): void;
}

/** What one virtual IP wants of the keeper; its methods are called by the keeper alone. */
export interface Ward {
  readonly vip: Vip;
  /** Whether it is to be on the interface; undefined: nobody has said, and it is left alone. */
  readonly wanted: boolean | undefined;
  /** Takes what is due, if something is; it is not due any more then. */
  errand(): Errand | undefined;
  /** The interface shows it, or not. `byUs`: this keeper's own doing has taken it off. */
  look(shown: boolean, byUs: boolean): void;
  notice(notice: KeeperNotice): void;
}

export interface KeeperOptions extends BatchOptions {
  /** Undefined: nobody can set promote_secondaries. */
  readonly promotion: SecondaryPromotion | undefined;
  /** Whether another process keeps the address as a virtual IP on the interface. */
  readonly isServedElsewhere: (address: Ipv4, ifindex: number) => boolean;
}

/** An errand under way. */
interface Job {
  readonly ward: Ward;
  readonly errand: Errand;
}

/** What a batch was carried out in. */
interface Circumstances {
  readonly jobs: readonly Job[];
  readonly place: Place;
  readonly precaution: Precaution;
  /** Virtual IPs of other daemons that hung on what was deleted. */
  readonly foreign: readonly ObservedAddress[];
}

/** How long the interface may take to show what a command did. */
const VERIFY_TIMEOUT_MS = 1_000;
/** So often the interface may be renamed or replaced under a batch before it counts as missing. */
const NAMES_MAX = 3;

/** Carries out on one interface what the reconcilers of its virtual IPs want. */
export class AddressKeeper {
  readonly #options: KeeperOptions;
  readonly #batch: AddressBatch;
  readonly #rescue: Rescue;
  #promotionTold = false;
  readonly #unsubscribe: () => void;
  readonly #wards = new Set<Ward>();
  /** A command may have done to them what the interface has not shown yet. */
  readonly #uncertain = new Set<Ward>();
  /** What own deletions have taken from the interface, and nobody has looked at since. */
  readonly #takenByUs = new Set<Ipv4>();
  /** The interface is not as it was when the wards were last shown it. */
  #changed = false;
  #flying = false;
  #recheck: (() => void) | undefined;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#batch = new AddressBatch(options);
    this.#rescue = new Rescue({ ...options, batch: this.#batch });
    this.#unsubscribe = options.addresses.onChanged(() => {
      this.#changed = true;
      this.wake();
    });
  }

  add(ward: Ward): void {
    this.#wards.add(ward);
  }

  remove(ward: Ward): void {
    this.#wards.delete(ward);
    this.#uncertain.delete(ward);
    this.wake();
  }

  /** The index of the interface; undefined: it is not there, under whatever name. */
  get ifindex(): number | undefined {
    return this.#options.addresses.current()?.ifindex;
  }

  /** Whether the interface shows it now. */
  shows({ address }: Vip): boolean {
    return this.#options.addresses.observe().some((seen) => seen.address === address);
  }

  /** What removes the address by hand, in the form in which the interface shows it. */
  handRemoval({ address }: Vip): readonly string[] {
    const { addresses } = this.#options;
    const device = shellWord(addresses.current()?.name ?? '');
    const found = addresses.observe().filter((seen) => seen.address === address);
    return found.map((seen) => `ip ${commandLine(deletion(seen), device)}`);
  }

  /** Something is due or has changed: looked at when whoever calls has returned. */
  wake(): void {
    if (this.#flying) {
      this.#recheck?.();
      return;
    }
    this.#flying = true;
    void this.#fly();
  }

  /** Kills an `ip` that hangs, now or when it does: who leaves has no time for it. */
  hurry(): void {
    this.#batch.hurry();
  }

  close(): void {
    this.#unsubscribe();
  }

  async #fly(): Promise<void> {
    // Nobody must get an outcome before the call that asked for it has returned.
    await Promise.resolve();
    for (;;) {
      if (this.#changed) this.#look();
      const jobs = this.#takeJobs();
      if (jobs.length === 0) break;
      await this.#carryOut(jobs);
    }
    this.#flying = false;
  }

  #look(): void {
    this.#changed = false;
    const shown = addressesIn(this.#options.addresses.observe());
    for (const ward of [...this.#wards]) {
      const { address } = ward.vip;
      ward.look(shown.has(address), this.#takenByUs.has(address));
    }
    this.#takenByUs.clear();
  }

  #takeJobs(): readonly Job[] {
    return [...this.#wards].flatMap((ward) => {
      const errand = ward.errand();
      return errand === undefined ? [] : [{ ward, errand }];
    });
  }

  async #carryOut(jobs: readonly Job[]): Promise<void> {
    for (let names = 1; ; names += 1) {
      const place = this.#options.addresses.current();
      if (place === undefined) {
        this.#endNowhere(jobs);
        return;
      }
      const planned = this.#plan(jobs);
      // Asked before, too: who leaves at the same time lets go of its address when that is off.
      const foreign = planned.endangered.filter((one) => this.#isForeign(one.address, place));
      const precaution = await this.#prepare(planned, place, jobs);
      const plan = stillWanted(planned, jobs);
      const report = await this.#runPlan(plan, place);
      await this.#putBack(plan, report, { jobs, place, precaution, foreign });
      await this.#rescue.finish(precaution, place);
      const jobOutcomes = outcomesOf(jobs, plan, report.each);
      const now = this.#options.addresses.current();
      const moved = now?.name !== place.name || now.ifindex !== place.ifindex;
      const missed = jobOutcomes.some(
        (outcome) => outcome.kind === 'fault' && outcome.fault.reason === 'interface-missing',
      );
      if (missed && moved && names < NAMES_MAX) continue;
      await this.#conclude(jobs, jobOutcomes, report.mayStillAct);
      return;
    }
  }

  #plan(jobs: readonly Job[]): BatchPlan {
    const goals = jobs.map(({ ward, errand }) => ({
      vip: ward.vip,
      present: errand.present,
      uncertain: this.#uncertain.has(ward),
    }));
    const plan = planBatch(goals, this.#options.addresses.observe());
    for (const { goal, prefixLength } of plan.otherPrefix) {
      jobs[goal]?.ward.notice({ kind: 'other-prefix', prefixLength });
    }
    return plan;
  }

  async #runPlan(plan: BatchPlan, place: Place): Promise<BatchReport> {
    if (plan.steps.length === 0) return { each: [], mayStillAct: false, notices: [] };
    const commands = plan.steps.map(({ command }) => command);
    return this.#batch.run(commands, place);
  }

  /** An interface that is gone took its addresses with it. */
  #endNowhere(jobs: readonly Job[]): void {
    const detail = 'it is not there to put the address on';
    for (const { ward, errand } of jobs) {
      this.#uncertain.delete(ward);
      const fault = { reason: 'interface-missing', detail } as const;
      errand.end(errand.present ? { kind: 'fault', fault } : { kind: 'reached' });
    }
  }

  /** Sees to it that what hangs on the addresses that go is kept. */
  async #prepare(plan: BatchPlan, place: Place, jobs: readonly Job[]): Promise<Precaution> {
    if (plan.endangered.length === 0) return { kind: 'none' };
    const precaution = await this.#rescue.prepare(place);
    if (precaution.kind !== 'promoted' || this.#promotionTold) return precaution;
    this.#promotionTold = true;
    jobs.find(({ errand }) => !errand.present)?.ward.notice({ kind: 'promoted' });
    return precaution;
  }

  /** Makes anew what the kernel deleted along with a virtual IP, unless it is one itself. */
  async #putBack(
    plan: BatchPlan,
    report: BatchReport,
    { jobs, place, precaution, foreign }: Circumstances,
  ): Promise<void> {
    const deleted = plan.steps.flatMap(({ command }) => (command.verb === 'del' ? [command] : []));
    if (deleted.length === 0) return;
    const gone = new Set(deleted.map(({ address }) => address));
    const isWhole = report.notices.every(({ kind }) => kind !== 'gap');
    const { endangered } = plan;
    const all = isWhole
      ? lossesOf(report.notices, gone)
      : await this.#rescue.unheardLosses(precaution, place, { deleted, endangered });
    const others = addressesIn(foreign);
    const losses = this.#sortLosses(all).filter(({ lost: { address } }) => {
      return !others.has(address) && !this.#isForeign(address, place);
    });
    if (losses.length === 0) return;
    const unsaved = await this.#rescue.restore(losses, precaution, place, gone);
    const routes = unsaved.routes.map((line) => `ip ${line}`);
    for (const { ward } of jobs) {
      const mine = losses.filter(({ culprit }) => culprit === ward.vip.address);
      if (mine.length === 0) continue;
      const left = mine.flatMap((loss) => unsaved.losses.get(loss) ?? []);
      ward.notice({
        kind: 'taken-along',
        addresses: mine.map(({ lost }) => lost.address),
        unsaved: [...left, ...routes],
      });
    }
  }

  /** Another daemon puts back what is its own, if it still wants it. */
  #isForeign(address: Ipv4, { ifindex }: Place): boolean {
    return this.#options.isServedElsewhere(address, ifindex);
  }

  /** Those of the host itself; of virtual IPs that are wanted it is noted who has taken them. */
  #sortLosses(losses: readonly Loss[]): readonly Loss[] {
    const wards = new Map([...this.#wards].map((ward) => [ward.vip.address, ward.wanted]));
    return losses.filter(({ lost: { address } }) => {
      const wanted = wards.get(address);
      if (wanted === true) this.#takenByUs.add(address);
      return wanted === undefined;
    });
  }

  async #conclude(
    jobs: readonly Job[],
    outcomes: readonly IpOutcome[],
    mayStillAct: boolean,
  ): Promise<void> {
    const open = jobs.filter((_, index) => outcomes[index]?.kind !== 'fault');
    const seen = await this.#shown(open);
    const shown = addressesIn(this.#options.addresses.observe());
    jobs.forEach((job, index) => {
      const { ward, errand } = job;
      const outcome = outcomes[index];
      const asWanted = seen.has(job) || shown.has(ward.vip.address) === errand.present;
      const wasUncertain = this.#uncertain.has(ward);
      if (outcome?.kind === 'fault') {
        if (mayStillAct) this.#uncertain.add(ward);
        const reached = asWanted && !wasUncertain && !mayStillAct;
        errand.end(reached ? { kind: 'reached' } : { kind: 'fault', fault: outcome.fault });
        return;
      }
      if (asWanted) this.#uncertain.delete(ward);
      else this.#uncertain.add(ward);
      errand.end(this.#endOf(errand, asWanted));
    });
  }

  #endOf(errand: Errand, asWanted: boolean): Attempt {
    if (asWanted) return { kind: 'reached' };
    if (!errand.isWanted()) return { kind: 'interrupted' };
    const name = this.#options.addresses.current()?.name ?? 'the interface';
    const detail = `${name} ${errand.present ? 'does not show' : 'still shows'} the address`;
    return { kind: 'fault', fault: { reason: 'not-verified', detail } };
  }

  /**
   * Waits for the interface to show what was done; for nobody whose wish is an old one. Resolves to
   * those of which it was seen, though somebody may have undone it since.
   */
  #shown(jobs: readonly Job[]): Promise<ReadonlySet<Job>> {
    return new Promise((resolve) => {
      const seen = new Set<Job>();
      let waiting = jobs;
      const finish = (): void => {
        this.#recheck = undefined;
        cancelTimer();
        resolve(seen);
      };
      const cancelTimer = this.#options.startTimer(VERIFY_TIMEOUT_MS, finish);
      this.#recheck = () => {
        const shown = addressesIn(this.#options.addresses.observe());
        waiting = waiting.filter((job) => {
          const reached = shown.has(job.ward.vip.address) === job.errand.present;
          if (reached) seen.add(job);
          return !reached && job.errand.isWanted();
        });
        if (waiting.length === 0) finish();
      };
      this.#recheck();
    });
  }
}

/**
 * The plan without the addresses that nobody wants any more: an `ip` that is slow may have taken
 * seconds for the preparations, and another host may have them by now.
 */
function stillWanted(plan: BatchPlan, jobs: readonly Job[]): BatchPlan {
  const steps = plan.steps.filter(({ command, goal }) => {
    return command.verb === 'del' || jobs[goal]?.errand.isWanted() === true;
  });
  return { ...plan, steps };
}

/** What became of each job: the first fault of its commands; without any, it was so already. */
function outcomesOf(
  jobs: readonly Job[],
  plan: BatchPlan,
  each: readonly IpOutcome[],
): readonly IpOutcome[] {
  const outcomes: IpOutcome[] = jobs.map(() => ({ kind: 'already' }));
  plan.steps.forEach(({ goal }, index) => {
    const outcome = each[index];
    if (outcome !== undefined && outcomes[goal]?.kind !== 'fault') outcomes[goal] = outcome;
  });
  return outcomes;
}

function addressesIn(observed: readonly ObservedAddress[]): ReadonlySet<Ipv4> {
  return new Set(observed.map(({ address }) => address));
}
