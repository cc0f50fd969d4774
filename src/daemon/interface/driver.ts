// The one loop: work in, segments stepped, one timer armed for the earliest deadline.
//
//   sockets, netlink, ip, hooks --post()--> queue --> Segment.step() --> effects --> timer --> next
//
// Adapters only post. Nothing here waits while a segment is in the middle of a step.
import { fromMillis, micros, plus, since, toMillis, type Micros } from '../../base/time.ts';
import { isLateWake } from '../../segment/late-wake.ts';
import type { Time } from '../../ports/ports.ts';

/** A segment as the loop sees it. */
export interface Member {
  deadline(): Micros | undefined;
  /** What is due by then could make a master, so that unread adverts must be heard first. */
  awaitsSilence(dueBy: Micros): boolean;
  /** Does one thing that is due by then; for what is due later the sockets were not read. */
  wake(dueBy: Micros): void;
  /** The process woke so late: what comes in from here on waited in the sockets meanwhile. */
  stoodStill?(lateBy: Micros): void;
  /** What waited has been read; no deadline has been acted upon yet. */
  caughtUp?(lateBy: Micros): void;
}

export interface DriverOptions extends Time {
  /** Reads what is queued in the sockets; resolves when nothing more is there. */
  readonly drain: () => Promise<void>;
  /**
   * A wake-up came later than it should have: the process, or the machine, stood still. What was
   * queued in the sockets meanwhile has been read; no deadline has been acted upon yet.
   */
  readonly onLateWake: (lateBy: Micros) => void;
  /** How late the timer came round to the earliest deadline; it is set in whole milliseconds. */
  readonly onWake: (lateBy: Micros) => void;
  /** Posted packets were dropped because too many were waiting. */
  readonly onOverflow: (dropped: number) => void;
}

/** Whether work may be dropped when too much of it waits. */
export type Importance = 'must-run' | 'droppable';

interface Work {
  readonly run: () => void;
  readonly importance: Importance;
}

const QUEUE_MAX = 1_024;
const WORK_PER_TURN_MAX = 256;
/** setTimeout takes no more; a longer wait is cut, and the early wake finds nothing due. */
const TIMEOUT_MS_MAX = 2_147_483_647;
/** Between two things that are due; many that have much to do take a while as well. */
const STALL = fromMillis(250);
/** So long at a stretch work may hold up what comes in and what is due meanwhile. */
const SLICE = fromMillis(5);
/** More are due of a segment only where a deadline does not go away: others have a turn, too. */
const THINGS_MAX = 1_024;

/** Owns the queue and the timer. */
export class Driver {
  readonly #options: DriverOptions;
  readonly #members = new Set<Member>();
  readonly #queue: Work[] = [];
  #droppable = 0;
  #cancelTimer: () => void = () => undefined;
  /** What the timer is set for; undefined: there is none. */
  #armedFor: Micros | undefined;
  #pumping = false;
  #waking = false;
  /** When the last piece of work was begun: until then the process did not stand still. */
  #begunAt: Micros = micros(0);
  /** Steps are being taken behind which the timer is set. */
  #batches = 0;
  #closed = false;

  constructor(options: DriverOptions) {
    this.#options = options;
  }

  add(member: Member): void {
    this.#members.add(member);
    this.arm();
  }

  remove(member: Member): void {
    this.#members.delete(member);
    this.arm();
  }

  /** Queues work for the loop; may be called from anywhere, and never runs it at once. */
  post(run: () => void, importance: Importance = 'must-run'): void {
    if (this.#closed) return;
    if (importance === 'droppable') {
      this.#droppable += 1;
      if (this.#droppable > QUEUE_MAX) this.#dropOldest();
    }
    this.#queue.push({ run, importance });
    this.#schedule();
  }

  /**
   * Resolves when the loop has done its work once more: the sockets were read, and what they held
   * and what was queued before has been taken. To how late its earliest deadline is even so: a loop
   * that turns without waking its members shows by that. Never resolves after `close`.
   */
  async turn(): Promise<Micros> {
    await this.#options.drain();
    await new Promise<void>((resolve) => this.post(resolve));
    const now = this.#options.now();
    return micros(Math.max(0, since(now, this.#earliest() ?? now)));
  }

  /** Stops the timer and forgets what is queued. */
  close(): void {
    this.#closed = true;
    this.#cancelTimer();
    this.#queue.length = 0;
  }

  #schedule(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    this.#options.nextTurn(() => {
      this.#pumping = false;
      // After a stall the sockets may be read before the timer fires, and would hide that it is
      // overdue by moving the deadlines.
      if (isLateWake(this.#stoodStillFor(this.#options.now()))) return void this.#wake();
      this.#runQueue(WORK_PER_TURN_MAX);
      if (this.#queue.length > 0) this.#schedule();
    });
  }

  /** Takes steps, and sets the timer behind the last of them. */
  #batch(steps: () => void): void {
    this.#batches += 1;
    try {
      steps();
    } finally {
      this.#batches -= 1;
    }
    this.arm();
  }

  #runQueue(workMax: number): void {
    this.#batch(() => this.#runWork(workMax));
  }

  #runWork(workMax: number): void {
    const end = this.#beginSlice();
    for (let count = 0; count < workMax; count += 1) {
      const goesOn = this.#beginWork() && this.#begunAt <= end;
      if (!goesOn && workMax !== Infinity) return;
      const work = this.#queue.shift();
      if (work === undefined) return;
      if (work.importance === 'droppable') this.#droppable -= 1;
      work.run();
    }
  }

  #dropOldest(): void {
    const index = this.#queue.findIndex((work) => work.importance === 'droppable');
    this.#queue.splice(index, 1);
    this.#droppable -= 1;
    this.#options.onOverflow(1);
  }

  /**
   * Sets the timer for the earliest deadline; called after every step of a member. All of them are
   * asked for theirs, which takes too long for each of many steps: those come to one.
   */
  arm(): void {
    if (this.#closed || this.#waking || this.#batches > 0) return;
    const deadline = this.#earliest();
    if (deadline === this.#armedFor) return;
    this.#cancelTimer();
    this.#armedFor = deadline;
    if (deadline === undefined) return;
    const delayMs = Math.ceil(toMillis(since(deadline, this.#options.now())));
    const timeoutMs = Math.min(Math.max(delayMs, 0), TIMEOUT_MS_MAX);
    this.#cancelTimer = this.#options.startTimer(timeoutMs, () => {
      this.#armedFor = undefined;
      this.#options.onWake(micros(Math.max(0, since(this.#options.now(), deadline))));
      void this.#wake();
    });
  }

  #earliest(): Micros | undefined {
    let earliest: Micros | undefined;
    for (const member of this.#members) {
      const deadline = member.deadline();
      if (deadline !== undefined && (earliest === undefined || deadline < earliest)) {
        earliest = deadline;
      }
    }
    return earliest;
  }

  #all(): readonly Member[] {
    return [...this.#members];
  }

  #isClosed(): boolean {
    return this.#closed;
  }

  /**
   * For how long a deadline has had to wait while nothing was done at all. Who is busy with what
   * was due before it is late as well, but has not stood still: others have not waited for it, and
   * what came in was read on the way.
   */
  #stoodStillFor(now: Micros): number {
    const earliest = this.#earliest();
    if (earliest === undefined) return 0;
    return since(now, earliest > this.#begunAt ? earliest : this.#begunAt);
  }

  /**
   * Adverts that came in before the deadline must count before it does: after a stall the timer
   * fires first and would make a healthy backup take over from a healthy master.
   */
  async #wake(): Promise<void> {
    if (this.#closed || this.#waking) return;
    // Before the sockets are read: who is due by a later time has to have them read again.
    const now = this.#options.now();
    let readAt = now;
    const lateBy = this.#stoodStillFor(now);
    const late = isLateWake(lateBy);
    if (late || this.#all().some((member) => member.awaitsSilence(now))) {
      this.#waking = true;
      await this.#options.drain();
      this.#waking = false;
      if (late) this.#batch(() => this.#all().forEach((one) => one.stoodStill?.(micros(lateBy))));
      this.#runQueue(Infinity);
      if (late) this.#batch(() => this.#all().forEach((one) => one.caughtUp?.(micros(lateBy))));
      readAt = this.#options.now();
    }
    if (this.#isClosed()) return;
    if (late) this.#options.onLateWake(micros(lateBy));
    this.#batch(() => {
      if (!this.#wakeDue(now, readAt)) void this.#wake();
    });
  }

  /** Returns when the slice is to end. */
  #beginSlice(): Micros {
    this.#begunAt = this.#options.now();
    return plus(this.#begunAt, SLICE);
  }

  /** False: the process has stood still since the last piece of work was begun. */
  #beginWork(): boolean {
    const at = this.#options.now();
    if (isLateWake(since(at, this.#begunAt))) return false;
    this.#begunAt = at;
    return true;
  }

  /** False: the process has stood still on the way, and the sockets have to be read once more. */
  #wakeDue(now: Micros, readAt: Micros): boolean {
    const end = this.#beginSlice();
    for (const member of this.#all()) {
      // None is taken for due by a later time than that for which the sockets were read.
      for (let count = 0; isDue(member, now) && count < THINGS_MAX; count += 1) {
        // The process may stand still right here, too.
        if (!this.#beginWork() || since(this.#begunAt, readAt) > STALL) return false;
        // What is left of it is due at once, behind what has come in and become due meanwhile.
        if (this.#begunAt > end) return true;
        member.wake(now);
      }
    }
    return true;
  }
}

function isDue(member: Member, now: Micros): boolean {
  return (member.deadline() ?? Infinity) <= now;
}
