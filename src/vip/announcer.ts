// Sends the gratuitous ARP that moves clients and switches to this node. The election decides when;
// here is only the frame, the burst after it, that the network can't have too many of them sent,
// and that nothing leaves once it is stopped.
import { messageOf } from '../base/errors.ts';
import { fromMillis, fromSeconds, micros, plus, since, toMillis } from '../base/time.ts';
import type { Micros } from '../base/time.ts';
import type { Ipv4, Mac } from '../base/addresses.ts';
import { gratuitousArp } from '../carp/arp.ts';
import type { FrameSender, StartTimer } from './ports.ts';

/** How it is announced. */
export interface AnnouncePace {
  /** How many frames follow the first one of a burst; 0 for none, as ucarp. */
  readonly burst: number;
  readonly intervalMs: number;
}

export interface AnnouncerOptions {
  readonly vip: Ipv4;
  /** The MAC of the interface now; a card that was replaced has another. */
  readonly mac: () => Mac;
  /** As it is now. */
  readonly pace: () => AnnouncePace;
  readonly sender: FrameSender;
  readonly now: () => Micros;
  readonly startTimer: StartTimer;
  readonly onSent: () => void;
  /** Why a frame did not leave; the rest of the burst is tried all the same. */
  readonly onSendError: (reason: string) => void;
}

export interface Announcement {
  readonly burst: boolean;
  /**
   * It answers what another host said, who may say it as often as it likes: one frame a second is
   * enough (RFC 5227, section 2.4), also where that frame had another reason.
   */
  readonly defends?: boolean;
}

/** Two defences are so far apart. */
const DEFENCE_SPACING = fromSeconds(1);
/** In the long run one frame leaves in each of these; so many bursts may come at once. */
const FRAME_EACH = fromMillis(500);
const BURSTS_MAX = 4;

/** Announces one virtual IP on one interface. */
export class Announcer {
  readonly #options: AnnouncerOptions;
  #cancelBurst: (() => void) | undefined;
  #cancelLater: (() => void) | undefined;
  #sentAt: Micros | undefined;
  /** When the whole allowance is there again; each frame moves it on. */
  #restedAt: Micros = micros(0);

  constructor(options: AnnouncerOptions) {
    this.#options = options;
  }

  /**
   * Sends one frame before it returns, or, where it may not be sent yet, as soon as it may: one for
   * all that are asked for meanwhile. With `burst` the configured number follows at the interval,
   * in place of what is left of an earlier burst; without, an earlier burst goes on.
   */
  announce({ burst, defends = false }: Announcement): void {
    if (burst) this.#scheduleBurst(this.#options.pace().burst);
    const { now, startTimer } = this.#options;
    const wait = since(this.#nextAt(defends), now());
    if (wait <= 0) return this.#send();
    this.#cancelLater ??= startTimer(Math.ceil(toMillis(wait)), () => {
      this.#cancelLater = undefined;
      this.announce({ burst: false, defends });
    });
  }

  /** Cancels all that was planned; no frame leaves from here on until the next `announce`. */
  stop(): void {
    this.#cancelBurst?.();
    this.#cancelBurst = undefined;
    this.#cancelLater?.();
    this.#cancelLater = undefined;
  }

  #scheduleBurst(left: number): void {
    this.#cancelBurst?.();
    this.#cancelBurst = undefined;
    if (left <= 0) return;
    this.#cancelBurst = this.#options.startTimer(this.#options.pace().intervalMs, () => {
      this.#scheduleBurst(left - 1);
      this.announce({ burst: false });
    });
  }

  /** When the next frame may leave. */
  #nextAt(defends: boolean): Micros {
    const allowance = FRAME_EACH * ((this.#options.pace().burst + 2) * BURSTS_MAX - 1);
    const allowedAt = micros(this.#restedAt - allowance);
    if (!defends || this.#sentAt === undefined) return allowedAt;
    return micros(Math.max(allowedAt, plus(this.#sentAt, DEFENCE_SPACING)));
  }

  #send(): void {
    const at = this.#options.now();
    this.#sentAt = at;
    this.#restedAt = plus(this.#restedAt > at ? this.#restedAt : at, FRAME_EACH);
    // This one says what a later one was to say.
    this.#cancelLater?.();
    this.#cancelLater = undefined;
    const { sender, mac, vip, onSent, onSendError } = this.#options;
    try {
      sender.send(gratuitousArp(mac(), vip));
    } catch (error) {
      onSendError(messageOf(error));
      return;
    }
    onSent();
  }
}
