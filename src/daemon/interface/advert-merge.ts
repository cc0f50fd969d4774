// Adverts come in twice: by the CARP socket, which lies behind the host's firewall, and, while it
// is open, by the frame witness before it. Each is delivered once, and it is known by which ear.
//
// The two copies of one advert are told from two adverts with the same bytes (an OpenBSD master
// never changes its counter) by counting: each copy of one ear is one of the other's at most. The
// kernel queues the witness's copy first. So a copy that the socket gets has its twin in the
// witness's queue by then, or there is none; and a copy that the witness gets has its twin in the
// socket's queue a moment later, or something keeps it from the socket. How late the process reads
// either queue plays no part in it. Only what is believed gets this far: nobody without the
// passphrase can fill what is kept here.
import { fromMillis, fromSeconds, plus, since, type Micros } from '../../base/time.ts';
import type { AcceptedAdvert, DroppedPacket, Group } from '../../carp/accept.ts';
import type { Result } from '../../base/result.ts';
import type { Obstacle } from '../../readiness/obstacle.ts';
import type { Ports } from '../ports/ports.ts';

/** How an advert came in. */
export interface Heard {
  /** The link epoch of the socket that it came from, which may have ended since. */
  readonly epoch: number;
  /** witness: the CARP socket did not get it. */
  readonly by: 'socket' | 'witness';
  /**
   * Whether it came in through an uplink. False: the witness watched the uplinks and saw nothing of
   * it, as with a guest on a bridge of this host. Undefined: nobody watched.
   */
  readonly throughUplink: boolean | undefined;
  /** Of one that only the witness saw: what keeps it from the socket. */
  readonly keptBy?: Obstacle | undefined;
}

export interface SecondEarOptions<Member extends Group> extends Pick<Ports, 'now' | 'startTimer'> {
  /** The link epoch now. */
  readonly epoch: () => number;
  /** Judges a packet; called once for each copy. */
  readonly accept: (packet: Uint8Array) => Result<AcceptedAdvert<Member>, DroppedPacket>;
  readonly deliver: (advert: AcceptedAdvert<Member>, heard: Heard) => void;
  /** A packet that is not believed; one that both ears get is told of once. */
  readonly reject: (dropped: DroppedPacket) => void;
  /** Queues work for the loop. */
  readonly post: (run: () => void) => void;
  /** Hands out, now, what waits in the CARP socket: calls `heard`. */
  readonly readSocket: () => void;
  /** The same of the frame witness (`witnessed`); false if a bound left something there. */
  readonly readWitness: () => boolean;
}

/** A copy that has no twin yet. */
interface Copy<Member extends Group> {
  readonly key: string;
  readonly advert: AcceptedAdvert<Member>;
  readonly epoch: number;
  readonly at: Micros;
}

/** What the kernel may take between the queues of the witness and of the socket. */
const GRACE_MS = 50;
const GRACE = fromMillis(GRACE_MS);
/** How late the second copy of an advert may come, behind what fills its queue. */
const LATE = fromSeconds(5);
/** With so many copies that wait for their twins nobody waits: all are delivered at once. */
const WAITING_MAX = 256;
/** A socket that brought nothing for so long is taken to be kept from all that comes in. */
const SOCKET_SILENCE = fromMillis(10_000);

/** See the head of this file. */
export class SecondEar<Member extends Group> {
  readonly #options: SecondEarOptions<Member>;
  /** Copies of the witness, oldest first. */
  #waiting: Copy<Member>[] = [];
  /** Those that were delivered for want of a twin, which may come yet. */
  #given: Copy<Member>[] = [];
  /** Copies of the socket whose twins may wait in the witness: it could not be read to its end. */
  #owed: Copy<Member>[] = [];
  /** Copies of the socket that the witness should have seen and had not: they may be late. */
  #unseen: Copy<Member>[] = [];
  readonly #outbox: (() => void)[] = [];
  #cancelTimer: (() => void) | undefined;
  #socketEpoch: number;
  #socketHeardAt: Micros | undefined;
  #reading = false;
  #covers = false;

  constructor(options: SecondEarOptions<Member>) {
    this.#options = options;
    this.#socketEpoch = options.epoch();
  }

  /** A packet of the CARP socket. */
  heard(packet: Uint8Array): void {
    const { accept, now } = this.#options;
    this.#socketHeardAt = now();
    const accepted = accept(packet);
    if (!accepted.ok) return this.#reject(accepted.reason);
    const copy = this.#copyOf(accepted.value, this.#socketEpoch);
    const isWitnessRead = this.#readWitness();
    const twin = take(this.#waiting, copy.key);
    if (twin !== undefined) this.#metOnTime(copy.key);
    else if (this.#takeLate(this.#given, copy)) return;
    else if (!isWitnessRead) push(this.#owed, copy);
    else if (this.#covers) push(this.#unseen, copy);
    const throughUplink = twin !== undefined || (this.#covers && isWitnessRead ? false : undefined);
    this.#deliver(copy, { epoch: this.#socketEpoch, by: 'socket', throughUplink });
  }

  /** A packet of the frame witness; delivered only if the socket does not get it as well. */
  witnessed(packet: Uint8Array, epoch: number): void {
    const accepted = this.#options.accept(packet);
    if (!accepted.ok) return this.#rejectWitnessed(accepted.reason);
    const copy = this.#copyOf(accepted.value, epoch);
    if (take(this.#owed, copy.key) !== undefined) return;
    this.#waiting.push(copy);
    if (this.#waiting.length > WAITING_MAX) return this.#options.post(() => this.flush());
    this.#cancelTimer ??= this.#settleLater(GRACE_MS);
  }

  /** Both queues were read to their ends: nobody waits for a twin any longer. */
  flush(): void {
    this.#options.readSocket();
    this.#giveUp(this.#waiting.splice(0));
    this.#empty();
  }

  /** All packets that the socket got before this epoch have been read. */
  freshFrom(epoch: number): void {
    this.#socketEpoch = epoch;
  }

  /** Whether the witness has seen all adverts that the socket gets from here on. */
  witnessCovers(covers: boolean): void {
    this.#covers = covers;
    if (covers) return;
    // What a closed witness had not handed out by now never comes. Of adverts that are all alike
    // one may yet be late in the socket; more would be taken from those that it alone gets now.
    [this.#owed, this.#unseen] = [[], []];
    this.#given = [...new Map(this.#given.map((copy) => [copy.key, copy])).values()];
  }

  close(): void {
    this.#cancelTimer?.();
    this.#waiting = [];
    this.#given = [];
    this.#owed = [];
    this.#unseen = [];
    this.#outbox.length = 0;
  }

  #settleLater(delayMs: number): () => void {
    const { post, startTimer } = this.#options;
    return startTimer(delayMs, () => post(() => this.#settle()));
  }

  #settle(): void {
    this.#cancelTimer = undefined;
    this.#options.readSocket();
    const now = this.#options.now();
    const due = this.#waiting.filter(({ at }) => since(now, at) >= GRACE);
    this.#waiting = this.#waiting.filter((copy) => !due.includes(copy));
    this.#giveUp(due);
    this.#empty();
    const [next] = this.#waiting;
    if (next === undefined) return;
    const restMs = Math.ceil((plus(next.at, GRACE) - now) / 1_000);
    this.#cancelTimer = this.#settleLater(restMs);
  }

  /** The twins did not come in time; one that comes yet is not delivered again. */
  #giveUp(copies: readonly Copy<Member>[]): void {
    for (const copy of copies) {
      if (this.#takeLate(this.#unseen, copy)) continue;
      this.#deliver(copy, { epoch: copy.epoch, by: 'witness', throughUplink: true });
      push(this.#given, { ...copy, at: this.#options.now() });
    }
  }

  /** Whether the other ear, of which these are, has brought it already. */
  #takeLate(others: Copy<Member>[], { key, at }: Copy<Member>): boolean {
    const first = others.findIndex((other) => since(at, other.at) < LATE);
    others.splice(0, first === -1 ? others.length : first);
    return take(others, key) !== undefined;
  }

  /** Neither ear is late with these bytes: what the other one has not brought by now is lost. */
  #metOnTime(key: string): void {
    this.#given = this.#given.filter((copy) => copy.key !== key);
    this.#unseen = this.#unseen.filter((copy) => copy.key !== key);
  }

  #readWitness(): boolean {
    if (this.#reading) return false;
    this.#reading = true;
    const isRead = this.#options.readWitness();
    this.#reading = false;
    if (isRead) {
      if (this.#covers) this.#unseen = [...this.#unseen, ...this.#owed].slice(-WAITING_MAX);
      this.#owed = [];
    }
    return isRead;
  }

  #copyOf(advert: AcceptedAdvert<Member>, epoch: number): Copy<Member> {
    return { key: keyOf(advert), advert, epoch, at: this.#options.now() };
  }

  #deliver({ advert }: Copy<Member>, heard: Heard): void {
    this.#send(() => this.#options.deliver(advert, heard));
  }

  #reject(dropped: DroppedPacket): void {
    this.#send(() => this.#options.reject(dropped));
  }

  /** The socket counts it, unless nothing ever reaches that. */
  #rejectWitnessed(dropped: DroppedPacket): void {
    if (this.#reading || !this.#socketIsSilent()) return;
    this.#options.readSocket();
    if (this.#socketIsSilent()) this.#reject(dropped);
  }

  #socketIsSilent(): boolean {
    const at = this.#socketHeardAt;
    return at === undefined || since(this.#options.now(), at) >= SOCKET_SILENCE;
  }

  /** Everything leaves in the order in which it was read, in one piece of work at a time. */
  #send(run: () => void): void {
    if (this.#outbox.push(run) === 1) this.#options.post(() => this.#empty());
  }

  #empty(): void {
    for (const run of this.#outbox.splice(0)) run();
  }
}

/** Puts a copy at the end of a list, whose oldest one goes when it is full. */
function push<Member extends Group>(copies: Copy<Member>[], copy: Copy<Member>): void {
  copies.push(copy);
  if (copies.length > WAITING_MAX) copies.shift();
}

/** Takes the oldest copy of an advert out of a list. */
function take<Member extends Group>(copies: Copy<Member>[], key: string): Copy<Member> | undefined {
  const index = copies.findIndex((copy) => copy.key === key);
  return index === -1 ? undefined : copies.splice(index, 1)[0];
}

/** What no firewall may change: the sender and all of the advert. */
function keyOf<Member extends Group>({ member, from, advert }: AcceptedAdvert<Member>): string {
  const { advbase, advskew, demote, counter } = advert;
  return [from, member.group, advert.vhid, advbase, advskew, demote, counter].join(' ');
}
