// What the doctor hears on the segment of one interface: it listens for some seconds, asks by ARP
// for the addresses that matter, and opens a CARP socket to see whether adverts get that far.
import { setTimeout as sleep } from 'node:timers/promises';
import { ANY_IPV4, formatIpv4, parseIpv4, type Ipv4, type Mac } from '../../base/addresses.ts';
import { arpProbe, arpRequest, readArp } from '../../carp/arp.ts';
import { readEthernet } from '../../carp/ethernet.ts';
import { CARP_PROTOCOL } from '../../carp/ipv4.ts';
import type { GroupFacts, Heard } from '../checks/wire-checks.ts';
import { readSwitchFrame, type SwitchFrame } from '../checks/switch-frames.ts';
import { openCarpSocket, type CarpSocket } from '../../linux/sockets/carp-socket.ts';
import { resolveStack } from '../../linux/links/link-facts.ts';
import type { LinkWatch } from '../../linux/links/link-watch.ts';
import type { Datagram } from '../../linux/sockets/native.ts';
import { openSegmentCapture, type SegmentCapture } from '../../linux/sockets/segment-capture.ts';
import { observe, type KnownGroup } from '../../sniff/observe.ts';
import { Speakers } from '../../sniff/speakers.ts';
import { tagged } from '../../sniff/live-capture.ts';

export interface SegmentOptions {
  readonly interfaceName: string;
  readonly links: LinkWatch;
  /** Those of the instances on the interface. */
  readonly groups: readonly GroupFacts[];
  readonly known: readonly KnownGroup[] | undefined;
  readonly seconds: number;
  readonly signal: AbortSignal;
}

/** Frames of a switch that are told apart; it repeats itself. */
const FRAMES_MAX = 64;
const MACS_MAX = 8;
/** When it asks, after the beginning; who is slow to answer is asked again. */
const ASK_AT_MS = [0, 700, 1_500];

/** Resolves when the time is over or the signal comes; rejects with a CarpdError. */
export async function hearSegment(options: SegmentOptions): Promise<Heard> {
  const { interfaceName, links, signal, seconds } = options;
  const stack = resolveStack(links, interfaceName);
  const listener = new SegmentListener(options, stack.ownMacs);
  const ifindex = stack.facts?.ifindex ?? 0;
  try {
    for (const index of stack.polled) listener.listen(index, index === ifindex);
    await listener.joinGroups(ifindex);
    const mac = stack.facts?.mac;
    const started = Date.now();
    for (const atMs of ASK_AT_MS) {
      await pause(started + Math.min(atMs, seconds * 1_000) - Date.now(), signal);
      if (mac !== undefined && !signal.aborted) listener.ask(mac);
    }
    await pause(started + seconds * 1_000 - Date.now(), signal);
  } finally {
    listener.close();
  }
  const { lower } = stack.facts ?? {};
  const isLacp = lower?.kind === 'bond' && lower.mode === '802.3ad';
  const bond = isLacp ? 'lacp' : lower?.kind === 'bond' ? 'other' : 'none';
  return { interfaceName, seconds, bond, ...listener.result() };
}

class SegmentListener {
  readonly #options: SegmentOptions;
  readonly #ownMacs: ReadonlySet<Mac>;
  readonly #captures: SegmentCapture[] = [];
  #sender: SegmentCapture | undefined;
  #carp: CarpSocket | undefined;
  readonly #frames = new Map<string, { by: string; frame: SwitchFrame }>();
  readonly #speakers = new Speakers();
  readonly #answers = new Map<string, Set<string>>();
  #otherFrames = 0;
  #atCard = 0;
  #atSocket = 0;

  constructor(options: SegmentOptions, ownMacs: ReadonlySet<Mac>) {
    this.#options = options;
    this.#ownMacs = ownMacs;
  }

  listen(ifindex: number, isTop: boolean): void {
    const by = this.#options.links.byIndex(ifindex)?.name ?? this.#options.interfaceName;
    const capture = openSegmentCapture({
      ifindex,
      onFrame: (frame) => this.#onFrame(frame, by, isTop),
      onLife: ({ bytes }) => this.#onLife(bytes),
      // An interface that goes down meanwhile is found by the other checks.
      onError: () => undefined,
    });
    this.#captures.push(capture);
    if (isTop) this.#sender = capture;
  }

  /** Opens the socket that a daemon would hear by; one that runs beside it is not disturbed. */
  async joinGroups(ifindex: number): Promise<void> {
    const { interfaceName, groups } = this.#options;
    if (groups.length === 0) return;
    const carp = await openCarpSocket({
      interfaceName,
      ifindex,
      onPacket: (packet) => this.#onPacket(packet),
      onError: () => undefined,
    });
    this.#carp = carp;
    for (const { destination } of groups) carp.join(destination);
  }

  ask(mac: Mac): void {
    for (const { vip, source, targets } of this.#options.groups) {
      const own = parseIpv4(source ?? '') ?? ANY_IPV4;
      const probed = source === undefined ? [vip] : [vip, source];
      const frames = [
        ...ipv4s(probed).map((address) => arpProbe(mac, address)),
        ...ipv4s(targets).map((address) => arpRequest(mac, own, address)),
      ];
      for (const frame of frames) this.#send(frame);
    }
  }

  close(): void {
    for (const capture of this.#captures) capture.close();
    this.#carp?.close();
  }

  result(): Pick<Heard, 'frames' | 'otherFrames' | 'adverts' | 'atCard' | 'atSocket' | 'answers'> {
    return {
      frames: [...this.#frames.values()],
      otherFrames: this.#otherFrames,
      adverts: this.#speakers.summary(),
      atCard: this.#atCard,
      atSocket: this.#carp === undefined ? undefined : this.#atSocket,
      answers: this.#answers,
    };
  }

  #send(frame: Uint8Array): void {
    try {
      this.#sender?.send(frame);
    } catch {
      // Without carrier nothing can be asked; that is found by the other checks.
    }
  }

  #onFrame({ bytes, vlan, truncated }: Datagram, by: string, isTop: boolean): void {
    const frame = readSwitchFrame(bytes);
    if (frame !== undefined && this.#frames.size < FRAMES_MAX) {
      this.#frames.set(`${by} ${JSON.stringify(frame)}`, { by, frame });
    }
    if (!isTop) return;
    this.#onReply(bytes);
    const whole = vlan === undefined || vlan === 0 ? bytes : tagged(bytes, vlan);
    const captured = {
      timeUs: Date.now() * 1_000,
      linkType: 'ethernet',
      isCut: truncated,
    } as const;
    const seen = observe({ ...captured, bytes: whole }, this.#options.known);
    if (seen === undefined || seen.vlanIds.length > 0) return;
    this.#speakers.add(seen);
    const isOurs = this.#options.groups.some(({ destination }) => destination === seen.destination);
    if (isOurs && this.#carp !== undefined) this.#atCard += 1;
  }

  #onReply(bytes: Uint8Array): void {
    const ethernet = readEthernet(bytes);
    if (!ethernet.ok || ethernet.value.vlanIds.length > 0) return;
    const arp = readArp(ethernet.value.payload);
    if (!arp.ok || arp.value.operation !== 'reply' || this.#ownMacs.has(arp.value.senderMac))
      return;
    const address = formatIpv4(arp.value.senderIp);
    if (!this.#isAsked(address)) return;
    const macs = this.#answers.get(address) ?? new Set();
    if (macs.size < MACS_MAX) macs.add(arp.value.senderMac);
    this.#answers.set(address, macs);
  }

  #isAsked(address: string): boolean {
    return this.#options.groups.some(
      ({ vip, source, targets }) =>
        address === vip || address === source || targets.includes(address),
    );
  }

  #onLife(bytes: Uint8Array): void {
    const ethernet = readEthernet(bytes);
    // What a switch says to its neighbour proves nothing about its forwarding.
    if (!ethernet.ok || readSwitchFrame(bytes) !== undefined) return;
    if (!this.#ownMacs.has(ethernet.value.source)) this.#otherFrames += 1;
  }

  #onPacket(packet: Uint8Array): void {
    if (packet[9] === CARP_PROTOCOL) this.#atSocket += 1;
  }
}

function ipv4s(texts: readonly string[]): readonly Ipv4[] {
  return texts.map(parseIpv4).filter((address) => address !== undefined);
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (milliseconds <= 0 || signal.aborted) return;
  // The signal ends the pause, nothing more.
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
}
