// What is on the wire: tcpdump in a namespace, its frames with their kernel time stamps, and waits
// for the ones a test is after.
import type { Child } from './child.ts';
import { fromWallMs } from './clock.ts';
import { isGratuitous, seenAdvert, seenArp, type SeenAdvert, type SeenArp } from './decode.ts';
import type { Netns } from './host.ts';
import { PcapReader } from './pcap.ts';
import { Changes, failure } from './wait.ts';

const FILTER_DEFAULT = 'proto 112 or arp';
const START_MS = 5_000;

/** One captured Ethernet frame. */
export interface CapturedFrame {
  /** The kernel's time stamp on the lab's time line. */
  readonly atMs: number;
  readonly wallMs: number;
  readonly bytes: Uint8Array;
  /** What it is, if it is an advert or an ARP packet. */
  readonly advert?: SeenAdvert;
  readonly arp?: SeenArp;
}

export type AdvertFrame = CapturedFrame & { readonly advert: SeenAdvert };
export type ArpFrame = CapturedFrame & { readonly arp: SeenArp };

/** Which adverts are meant; what is not given is any. */
export interface AdvertMatch {
  readonly source?: string;
  readonly vhid?: number;
  /** Only adverts later than this on the lab's time line. */
  readonly afterMs?: number;
}

export interface CaptureOptions {
  /** A pcap filter; CARP and ARP if not given. */
  readonly filter?: string;
  /** The device; that of the namespace if not given. */
  readonly device?: string;
}

/** A running capture. It ends with `stop()` or with the lab. */
export class Capture {
  readonly #frames: CapturedFrame[] = [];
  readonly #changes = new Changes();
  readonly #reader = new PcapReader();
  readonly #child: Child;

  private constructor(at: Netns, options: CaptureOptions) {
    const device = options.device ?? at.interface;
    const argv = ['tcpdump', '-i', device, '-n', '-s', '0', '-U', '--immediate-mode'];
    this.#child = at.spawn([...argv, '-Z', 'root', '-w', '-', options.filter ?? FILTER_DEFAULT], {
      label: `tcpdump on ${device} in ${at.netns}`,
      onStdout: (chunk) => this.#take(chunk),
    });
  }

  /** Starts a capture; resolves when no frame will be missed any more. */
  static async start(at: Netns, options: CaptureOptions = {}): Promise<Capture> {
    const capture = new Capture(at, options);
    await capture.#child.line(/listening on/, START_MS);
    return capture;
  }

  /** All frames so far, both directions, in order. */
  get frames(): readonly CapturedFrame[] {
    return this.#frames;
  }

  /** The adverts so far that match. */
  adverts(match: AdvertMatch = {}): AdvertFrame[] {
    return this.#frames.filter(isAdvert).filter((frame) => matches(frame, match));
  }

  /** The gratuitous ARP packets for `address` so far. */
  gratuitousArps(address: string, afterMs = -Infinity): ArpFrame[] {
    return this.#frames
      .filter(isArp)
      .filter(({ arp, atMs }) => arp.senderIp === address && isGratuitous(arp) && atMs > afterMs);
  }

  /** Waits for the `count`th advert that matches, the first being number 1. */
  advert(count: number, match: AdvertMatch, withinMs: number): Promise<AdvertFrame> {
    const source = match.source ?? 'anybody';
    const what = `advert ${count} from ${source}`;
    return this.until(() => this.adverts(match)[count - 1], what, withinMs);
  }

  /** Waits for a gratuitous ARP packet for `address`. */
  gratuitousArp(address: string, afterMs: number, withinMs: number): Promise<ArpFrame> {
    const what = `gratuitous ARP for ${address}`;
    return this.until(() => this.gratuitousArps(address, afterMs)[0], what, withinMs);
  }

  /** Waits until `probe` yields something, asking after every frame. */
  until<Value>(probe: () => Value | undefined, what: string, withinMs: number): Promise<Value> {
    const detail = (): string => this.#summary();
    const probeLiving = (): Value | undefined => {
      const value = probe();
      if (value === undefined && this.#child.exited !== undefined) {
        throw failure(`tcpdump ended while waiting for ${what}`, () => this.#child.tail());
      }
      return value;
    };
    return this.#changes.until(probeLiving, { withinMs, what, detail });
  }

  /** Ends the capture and yields all frames; fails if the kernel had to drop some. */
  async stop(): Promise<readonly CapturedFrame[]> {
    await this.#child.stop('SIGINT');
    const dropped = this.#child.lines.find(({ text }) =>
      /^[1-9]\d* packets? dropped by/.test(text),
    );
    if (dropped !== undefined) throw failure(`the capture is incomplete: ${dropped.text}`);
    return this.#frames;
  }

  #take(chunk: Uint8Array): void {
    for (const { wallMs, bytes } of this.#reader.push(chunk)) {
      const advert = seenAdvert(bytes);
      const arp = seenArp(bytes);
      const seen = { ...(advert && { advert }), ...(arp && { arp }) };
      this.#frames.push({ atMs: fromWallMs(wallMs), wallMs, bytes, ...seen });
    }
    this.#changes.notify();
  }

  #summary(): string {
    const last = this.#frames.slice(-20).map((frame) => `  ${frame.atMs.toFixed(1)} ${say(frame)}`);
    return [`  ${this.#frames.length} frames captured, the last of them:`, ...last].join('\n');
  }
}

function isAdvert(frame: CapturedFrame): frame is AdvertFrame {
  return frame.advert !== undefined;
}

function isArp(frame: CapturedFrame): frame is ArpFrame {
  return frame.arp !== undefined;
}

function matches({ advert, atMs }: AdvertFrame, match: AdvertMatch): boolean {
  return (
    (match.source === undefined || advert.source === match.source) &&
    (match.vhid === undefined || advert.vhid === match.vhid) &&
    (match.afterMs === undefined || atMs > match.afterMs)
  );
}

function say({ advert, arp, bytes }: CapturedFrame): string {
  if (advert !== undefined) {
    const { source, vhid, advbase, advskew, counter } = advert;
    return `advert from ${source}, vhid ${vhid}, ${advbase}/${advskew}, counter ${counter}`;
  }
  if (arp !== undefined) {
    return `ARP ${arp.operation}, ${arp.senderIp} (${arp.senderMac}) to ${arp.targetIp}`;
  }
  return `${bytes.length} bytes`;
}
