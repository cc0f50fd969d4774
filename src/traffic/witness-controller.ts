// The frame witness of one interface as it is wanted at the moment: open for one epoch on certain
// uplinks, letting through no more than is needed, or closed, which costs a busy link nothing.
import { isDeepStrictEqual } from 'node:util';
import type { WitnessMode } from '../linux/sockets/frame-filter.ts';
import type { FrameWitness } from '../linux/sockets/frame-witness.ts';
import type { LinkStack, Uplink } from '../linux/links/link-facts.ts';
import type { Ports } from '../ports/ports.ts';
import { readWitnessed, type AnswerView, type Seen } from './witness-reader.ts';

/** What is known of a frame besides what it says. */
export interface FrameOrigin {
  /** The epoch for which the socket was opened that it came from. */
  readonly epoch: number;
  /** The index of the interface by which it reached this host: of a port, if that is in a bond. */
  readonly cameBy: number;
}

export interface WitnessControllerOptions extends Pick<Ports, 'openFrameWitness'> {
  /** Queues work for the loop. */
  readonly post: (run: () => void) => void;
  /** A frame, and where it came from. */
  readonly onFrame: (seen: Seen, origin: FrameOrigin) => void;
  /** An advert, at once; after it comes what the frame says beside it. */
  readonly onAdvert: (packet: Uint8Array, epoch: number) => void;
  /** Whether adverts are let through from here on. */
  readonly onWatch: (watches: boolean) => void;
  readonly onError: (error: unknown) => void;
}

interface Open {
  readonly witness: FrameWitness;
  readonly uplinks: readonly Uplink[];
  readonly epoch: number;
  readonly once: boolean;
  mode: WitnessMode;
  then: WitnessMode | undefined;
  senders: readonly number[] | undefined;
}

/** What a mode lets through less than it could. */
export interface WitnessNarrowing {
  /** Of the mode "adverts": only those of these IPv4 addresses; undefined: all. */
  readonly senders?: readonly number[] | undefined;
  /** It closes by itself at the first frame that counts, so that a busy link costs nothing. */
  readonly once?: boolean;
  /** Of the mode "any-frame": what it narrows to by itself at the first frame that counts. */
  readonly then?: WitnessMode | undefined;
}

/** Opens, narrows and closes the frame witness of one interface. */
export class WitnessController {
  readonly #options: WitnessControllerOptions;
  #open: Open | undefined;
  #macs: Pick<LinkStack, 'macs' | 'ownMacs'> = { macs: new Set(), ownMacs: new Set() };
  #closed = false;

  constructor(options: WitnessControllerOptions) {
    this.#options = options;
  }

  /**
   * Makes it so. A socket of an earlier epoch holds old frames, so it is opened anew; one that
   * could not be opened is tried again at the next call. After `close` nothing is opened any more.
   */
  want(
    mode: WitnessMode | undefined,
    stack: LinkStack | undefined,
    epoch: number,
    { senders, once = false, then }: WitnessNarrowing = {},
  ): void {
    if (this.#closed) return;
    const uplinks = stack?.uplinks ?? [];
    this.#macs = stack ?? this.#macs;
    const open = this.#open;
    const fits = open?.epoch === epoch && open.once === once && sameWays(open.uplinks, uplinks);
    if (mode === undefined || stack === undefined || uplinks.length === 0) return this.#shut();
    try {
      if (open === undefined || !fits) this.#reopen(mode, stack, epoch, { senders, once, then });
      else if (open.mode !== mode || !isDeepStrictEqual(open.senders, senders)) {
        open.witness.setMode(mode, senders);
        const watched = watches(open.mode);
        Object.assign(open, { mode, senders });
        if (watched !== watches(mode)) this.#options.onWatch(watches(mode));
      }
      if (this.#open !== undefined) this.#open.then = then;
    } catch (error) {
      this.#shut();
      this.#options.onError(error);
    }
  }

  /** Reads the frames that wait; false if a bound left some there. */
  drain(): boolean {
    return this.#open?.witness.drain() ?? true;
  }

  /** For good: whoever still wants something of it was late. */
  close(): void {
    this.#closed = true;
    this.#shut();
  }

  #viewOf(ownVlans: readonly number[]): AnswerView {
    const { macs, ownMacs } = this.#macs;
    return { macs, ownMacs, ownVlans };
  }

  #shut(): void {
    if (this.#open === undefined) return;
    const { witness, once } = this.#open;
    witness.close();
    this.#open = undefined;
    if (!once) this.#options.onWatch(false);
  }

  /** At once: until the loop has heard of the frame, a busy link would bring many more. */
  #narrow(): void {
    const open = this.#open;
    if (open?.then === undefined || open.mode === open.then) return;
    try {
      open.witness.setMode(open.then, open.senders);
      const watched = watches(open.mode);
      open.mode = open.then;
      if (watched !== watches(open.mode)) this.#options.onWatch(watches(open.mode));
    } catch (error) {
      this.#shut();
      this.#options.onError(error);
    }
  }

  #reopen(
    mode: WitnessMode,
    { uplinks }: LinkStack,
    epoch: number,
    { senders, once, then }: WitnessNarrowing & { readonly once: boolean },
  ): void {
    const { openFrameWitness, post, onFrame, onAdvert, onError } = this.#options;
    this.#shut();
    const witness = openFrameWitness({
      uplinks,
      mode,
      senders,
      onFrame: (frame, { vlans }, cameBy) => {
        const seen = readWitnessed(frame, this.#viewOf(vlans));
        if (seen.kind === 'uncounted') return;
        // Open for a single frame, it hears no adverts: a second copy would go unseen.
        if (once) this.#shut();
        else if (seen.kind === 'frame') this.#narrow();
        else if (seen.kind === 'advert-packet') onAdvert(seen.packet, epoch);
        post(() => onFrame(seen, { epoch, cameBy }));
      },
      onError,
    });
    this.#open = { witness, uplinks, epoch, mode, then, senders, once };
    if (!once) this.#options.onWatch(watches(mode));
  }
}

/** Whatever they are called now. */
function sameWays(some: readonly Uplink[], others: readonly Uplink[]): boolean {
  const keys = (list: readonly Uplink[]): unknown =>
    list.map(({ ifindex, vlans, above }) => [ifindex, vlans, above?.ifindex]);
  return isDeepStrictEqual(keys(some), keys(others));
}

/** Whether adverts are let through. */
function watches(mode: WitnessMode): boolean {
  return mode !== 'arp-replies';
}
