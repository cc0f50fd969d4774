// What proves that frames come in: each piece dated, with its source, and of one link epoch.
import type { Ipv4, Mac } from '../base/addresses.ts';
import type { Micros } from '../base/time.ts';

/** A condition is never guessed: what could not be read is unknown, and unknown opens nothing. */
export type Status = 'met' | 'not-met' | 'unknown';

/**
 * Best first. advert: a valid advert of another node. probe: an answer to our own ARP, which proves
 * both directions. frame: every other frame that counts (frame.ts).
 */
export const EVIDENCE_KINDS = ['advert', 'probe', 'frame'] as const;
export type EvidenceKind = (typeof EVIDENCE_KINDS)[number];

interface EvidenceOf<Kind extends EvidenceKind, Address extends Ipv4 | Mac> {
  readonly kind: Kind;
  readonly from: Address;
  readonly at: Micros;
  /** The link epoch in which it came in. */
  readonly epoch: number;
  /** The index of the bond's port through which it came in; undefined: none, or nobody can tell. */
  readonly port?: number | undefined;
}

/** What tells its IPv4 address has it noted; of other frames the sender's MAC is known. */
export type Evidence =
  EvidenceOf<'advert', Ipv4> | EvidenceOf<'probe', Ipv4> | EvidenceOf<'frame', Mac>;

/** What is kept of one kind: the piece that first proved it, and the newest. */
export interface EvidenceRecord {
  readonly kind: EvidenceKind;
  readonly first: Evidence;
  readonly latest: Evidence;
  readonly count: number;
}

/** Addresses whose answers are remembered by name; more than that many are on no CARP segment. */
const ANSWERERS_MAX = 64;

/** Ports that come and go within an epoch; no bond has more at once. */
const PORTS_MAX = 64;

/** The evidence of one epoch. Nothing in it ages; it goes all at once when the epoch ends. */
export class EvidenceLedger {
  readonly #epoch: number;
  readonly #records = new Map<EvidenceKind, EvidenceRecord>();
  readonly #answerers = new Set<Ipv4>();
  readonly #ports = new Set<number>();

  constructor(epoch: number) {
    this.#epoch = epoch;
  }

  /** Whether it counted: evidence of any other epoch is worthless and is not kept. */
  add(evidence: Evidence): boolean {
    if (evidence.epoch !== this.#epoch) return false;
    const { kind, port } = evidence;
    const known = this.#records.get(kind);
    const first = known?.first ?? evidence;
    this.#records.set(kind, { kind, first, latest: evidence, count: (known?.count ?? 0) + 1 });
    if (port !== undefined && this.#ports.size < PORTS_MAX) this.#ports.add(port);
    if (evidence.kind === 'probe' && this.#answerers.size < ANSWERERS_MAX) {
      this.#answerers.add(evidence.from);
    }
    return true;
  }

  /** Whether anything at all has come in. */
  get proved(): boolean {
    return this.#records.size > 0;
  }

  /** When an ARP probe was last answered. */
  get answeredAt(): Micros | undefined {
    return this.#records.get('probe')?.latest.at;
  }

  /** The ports of the bond through which something has come in, as far as anybody could tell. */
  get ports(): ReadonlySet<number> {
    return this.#ports;
  }

  /** Those who have answered a probe, up to a bound. */
  get answerers(): Iterable<Ipv4> {
    return this.#answerers;
  }

  /** Whether this very address has answered a probe. */
  answeredBy(address: Ipv4): boolean {
    return this.#answerers.has(address);
  }

  /** One record for each kind there is, best first. */
  records(): readonly EvidenceRecord[] {
    return EVIDENCE_KINDS.flatMap((kind) => this.#records.get(kind) ?? []);
  }
}
