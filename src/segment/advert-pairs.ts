// Adverts come in twice: by the CARP socket, which lies behind the host's firewall, and, while it
// is open, by the frame witness before it. Each is delivered once, and it is known by which socket.
//
// The two copies of one advert are known from two adverts with the same bytes (an OpenBSD master
// never changes its counter) by counting: each copy of one socket is one of the other's at most.
// The kernel queues the witness's copy first. So a copy that the socket gets has its twin in the
// witness's queue by then, or there is none; and a copy that the witness gets has its twin in the
// socket's queue a moment later, or something keeps it from the socket. How late the process reads
// either queue plays no part in it. Only what is believed is kept here for longer than a moment:
// nobody without the passphrase can fill it.
import { fromMillis, fromSeconds, micros, plus, since, type Micros } from '../base/time.ts';
import type { DroppedPacket } from '../carp/accept.ts';
import type { Ipv4 } from '../base/addresses.ts';
import type { HeardAdvert } from '../election/inputs.ts';

/** An advert that passed every check, for the instance of this name. */
export interface AdvertCopy {
  readonly name: string;
  readonly from: Ipv4;
  readonly advert: HeardAdvert;
}

/** By which way an advert came in. */
export interface HeardWay {
  /** The link epoch of the socket that it came from, which may have ended since. */
  readonly epoch: number;
  /** witness: the CARP socket did not get it. */
  readonly by: 'socket' | 'witness';
  /**
   * Whether it came in through an uplink. False: the witness watched the uplinks and saw nothing of
   * it, as with a guest on a bridge of this host. Undefined: nobody watched.
   */
  readonly throughUplink: boolean | undefined;
}

/** An advert that counts, once. */
export interface PairedAdvert extends AdvertCopy {
  readonly way: HeardWay;
}

/** What is over once nobody waits for twins any longer. */
export interface Settled {
  readonly adverts: readonly PairedAdvert[];
  /** Packets that are not believed, and that nothing but the witness will ever get. */
  readonly refused: readonly DroppedPacket[];
}

/** A copy that has no twin yet. */
interface Single extends AdvertCopy {
  readonly key: string;
  readonly epoch: number;
  readonly at: Micros;
}

interface Refused {
  readonly dropped: DroppedPacket;
  readonly at: Micros;
}

/** What the kernel may take between the queues of the witness and of the socket. */
const GRACE = fromMillis(50);
/** How late the second copy of an advert may come, behind what fills its queue. */
const LATE = fromSeconds(5);
/** With so many copies that wait for their twins nobody waits: all are delivered at once. */
const WAITING_MAX = 256;
/** A socket that brought nothing for so long is taken to be kept from all that comes in. */
const SOCKET_SILENCE = fromMillis(10_000);

/** Joins the two copies of each advert. */
export class AdvertPairs {
  /** Copies of the witness, oldest first. */
  #waiting: Single[] = [];
  /** Those that were delivered for want of a twin, which may come yet. */
  #given: Single[] = [];
  /** Copies of the socket whose twins may wait in the witness: it could not be read to its end. */
  #owed: Single[] = [];
  /** Copies of the socket that the witness should have seen and had not: they may be late. */
  #unseen: Single[] = [];
  /** Seen by the witness, not believed: the socket counts it, unless nothing reaches that. */
  #refused: Refused[] = [];
  #socketHeardAt: Micros | undefined;
  /** Of the socket: what it held when a later epoch began has been read. */
  #socketEpoch: number;
  #covers = false;

  /** `epoch`: the link epoch of the CARP socket. */
  constructor(epoch: number) {
    this.#socketEpoch = epoch;
  }

  /** When the twins of what waits are given up; the CARP socket must have been read by then. */
  get deadline(): Micros | undefined {
    const [refused] = this.#refused;
    const [oldest] = this.#waiting;
    const latest = this.#waiting.at(-1);
    const starts = [refused?.at, oldest?.at].filter((at) => at !== undefined);
    if (starts.length === 0) return undefined;
    const graceEnd = plus(micros(Math.min(...starts)), GRACE);
    if (latest === undefined || this.#waiting.length <= WAITING_MAX) return graceEnd;
    return micros(Math.min(latest.at, graceEnd));
  }

  /**
   * A copy of the CARP socket; returns the advert unless it was delivered before. `witnessRead`:
   * the witness was read to its end after this copy had come in, and what it held was given.
   */
  socketCopy(copy: AdvertCopy, witnessRead: boolean, now: Micros): PairedAdvert | undefined {
    this.#socketSpoke(now);
    const single = { ...copy, key: keyOf(copy), epoch: this.#socketEpoch, at: now };
    if (witnessRead) this.#witnessRead();
    const twin = take(this.#waiting, single.key);
    if (twin !== undefined) this.#metOnTime(single.key);
    else if (takeLate(this.#given, single)) return undefined;
    else if (!witnessRead) push(this.#owed, single);
    else if (this.#covers) push(this.#unseen, single);
    const throughUplink = twin !== undefined || (this.#covers && witnessRead ? false : undefined);
    return paired(single, 'socket', throughUplink);
  }

  /** A copy of the frame witness, opened for this epoch; it waits for its twin. */
  witnessCopy(copy: AdvertCopy, epoch: number, now: Micros): void {
    const key = keyOf(copy);
    if (take(this.#owed, key) === undefined) this.#waiting.push({ ...copy, key, epoch, at: now });
  }

  /** A packet of the CARP socket that nobody believes. */
  socketRefused(now: Micros): void {
    this.#socketSpoke(now);
  }

  /** The same of the witness. */
  witnessRefused(dropped: DroppedPacket, now: Micros): void {
    if (this.#socketIsSilent(now)) this.#refused.push({ dropped, at: now });
  }

  /** All that the CARP socket got before this epoch has been given. */
  socketEmptied(epoch: number): void {
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

  /** Time has passed, and the CARP socket has been read: gives up whose twins are due. */
  settle(now: Micros): Settled {
    if (this.#waiting.length > WAITING_MAX) return this.settleAll(now);
    return this.#giveUp(({ at }) => since(now, at) >= GRACE, now);
  }

  /** Both queues were read to their ends: nobody waits for a twin any longer. */
  settleAll(now: Micros): Settled {
    return this.#giveUp(() => true, now);
  }

  /** The instance of this name takes no part any more. */
  forget(name: string): void {
    const isOther = (single: Single): boolean => single.name !== name;
    this.#waiting = this.#waiting.filter(isOther);
    this.#given = this.#given.filter(isOther);
    this.#owed = this.#owed.filter(isOther);
    this.#unseen = this.#unseen.filter(isOther);
  }

  /** The twins did not come in time; one that comes yet is not delivered again. */
  #giveUp(isDue: (one: { readonly at: Micros }) => boolean, now: Micros): Settled {
    const due = this.#waiting.filter(isDue);
    this.#waiting = this.#waiting.filter((single) => !isDue(single));
    const late = due.filter((single) => !takeLate(this.#unseen, single));
    for (const single of late) push(this.#given, { ...single, at: now });
    const refused = this.#refused.filter(isDue).map(({ dropped }) => dropped);
    this.#refused = this.#refused.filter((one) => !isDue(one));
    return { adverts: late.map((single) => paired(single, 'witness', true)), refused };
  }

  #socketSpoke(now: Micros): void {
    this.#socketHeardAt = now;
    this.#refused = [];
  }

  #socketIsSilent(now: Micros): boolean {
    return this.#socketHeardAt === undefined || since(now, this.#socketHeardAt) >= SOCKET_SILENCE;
  }

  /** Neither socket is late with these bytes: what the other one has not brought by now is lost. */
  #metOnTime(key: string): void {
    this.#given = this.#given.filter((copy) => copy.key !== key);
    this.#unseen = this.#unseen.filter((copy) => copy.key !== key);
  }

  #witnessRead(): void {
    if (this.#covers) this.#unseen = [...this.#unseen, ...this.#owed].slice(-WAITING_MAX);
    this.#owed = [];
  }
}

function paired(
  { name, from, advert, epoch }: Single,
  by: HeardWay['by'],
  throughUplink: boolean | undefined,
): PairedAdvert {
  return { name, from, advert, way: { epoch, by, throughUplink } };
}

/** Whether the other socket, of which these are, has brought it already. */
function takeLate(others: Single[], { key, at }: Single): boolean {
  const first = others.findIndex((other) => since(at, other.at) < LATE);
  others.splice(0, first === -1 ? others.length : first);
  return take(others, key) !== undefined;
}

/** Puts a copy at the end of a list, whose oldest one goes when it is full. */
function push(copies: Single[], copy: Single): void {
  copies.push(copy);
  if (copies.length > WAITING_MAX) copies.shift();
}

/** Takes the oldest copy of an advert out of a list. */
function take(copies: Single[], key: string): Single | undefined {
  const index = copies.findIndex((copy) => copy.key === key);
  return index === -1 ? undefined : copies.splice(index, 1)[0];
}

/** What no firewall may change: the sender and all of the advert. */
function keyOf({ name, from, advert }: AdvertCopy): string {
  const { advbase, advskew, demote, counter } = advert;
  return [from, advbase, advskew, demote, counter, name].join(' ');
}
