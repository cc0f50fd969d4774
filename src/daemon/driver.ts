// The one loop: work in, elections stepped, one timer armed for the earliest deadline.
//
//   sockets, netlink, ip, hooks --post()--> queue --> Member.feed() --> effects --> re-arm --> next
//
// Adapters only post. Nothing here waits while an election is in the middle of a step.
import { since, toMillis, fromMillis, type Micros } from '../base/time.ts';

/** An instance as the loop sees it. */
export interface Member {
  deadline(): Micros | undefined;
  /** Its next deadline could make it master, so that unread adverts must be heard first. */
  awaitsSilence(): boolean;
  wake(): void;
}

export interface DriverOptions {
  readonly now: () => Micros;
  /** Reads what is queued in the sockets; resolves when nothing more is there. */
  readonly drain: () => Promise<void>;
  /** A wake-up came later than it should have: the process, or the machine, stood still. */
  readonly onLateWake: (lateBy: Micros) => void;
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
const LATE_WAKE = fromMillis(50);

/** Owns the queue and the timer. */
export class Driver {
  readonly #options: DriverOptions;
  readonly #members = new Set<Member>();
  readonly #queue: Work[] = [];
  #droppable = 0;
  #timer: NodeJS.Timeout | undefined;
  #pumping = false;
  #waking = false;
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

  /** Stops the timer and forgets what is queued. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#queue.length = 0;
  }

  #schedule(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    setImmediate(() => {
      this.#pumping = false;
      this.#runQueue(WORK_PER_TURN_MAX);
      if (this.#queue.length > 0) this.#schedule();
    });
  }

  #runQueue(workMax: number): void {
    for (let count = 0; count < workMax; count += 1) {
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

  /** Sets the timer for the earliest deadline; called after every step of a member. */
  arm(): void {
    if (this.#closed || this.#waking) return;
    clearTimeout(this.#timer);
    const deadline = this.#earliest();
    if (deadline === undefined) return;
    const delayMs = Math.ceil(toMillis(since(deadline, this.#options.now())));
    const timeoutMs = Math.min(Math.max(delayMs, 0), TIMEOUT_MS_MAX);
    this.#timer = setTimeout(() => void this.#wake(), timeoutMs);
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

  #isClosed(): boolean {
    return this.#closed;
  }

  #due(): Member[] {
    const now = this.#options.now();
    return [...this.#members].filter((member) => (member.deadline() ?? Infinity) <= now);
  }

  /**
   * Adverts that came in before the deadline must count before it does: after a stall the timer
   * fires first and would make a healthy backup take over from a healthy master.
   */
  async #wake(): Promise<void> {
    const earliest = this.#earliest();
    if (this.#closed || earliest === undefined) return;
    const lateBy = since(this.#options.now(), earliest);
    const late = lateBy > LATE_WAKE;
    if (late) this.#options.onLateWake(lateBy);
    if (late || this.#due().some((member) => member.awaitsSilence())) {
      this.#waking = true;
      await this.#options.drain();
      this.#waking = false;
      this.#runQueue(Infinity);
    }
    if (this.#isClosed()) return;
    for (const member of this.#due()) member.wake();
    this.arm();
  }
}
