// What keeps adverts from the CARP socket that the frame witness sees: looked for, not guessed, and
// looked for again now and then. The three that are known look the same on the wire.
import { messageOf } from '../base/errors.ts';
import { fromSeconds, since, type Micros } from '../base/time.ts';
import { formatIpv4, type Ipv4 } from '../base/addresses.ts';
import { firewallFindings } from '../doctor/checks/firewall-checks.ts';
import type { Link } from '../linux/links/link-watch.ts';
import type { Obstacle } from '../readiness/obstacle.ts';
import type { Ports } from '../ports/ports.ts';

export interface ObstacleSearchOptions extends Pick<
  Ports,
  'now' | 'readFirewall' | 'filtersStrictly' | 'wayBackTo'
> {
  readonly interfaceName: string;
  readonly link: () => Link | undefined;
  /** What it is; called again when it was looked for again. */
  readonly onFound: (obstacle: Obstacle) => void;
  readonly onError: (reason: string) => void;
}

const LOOK_AGAIN = fromSeconds(30);

/** Finds out what keeps adverts from the CARP socket of one interface. */
export class ObstacleSearch {
  readonly #options: ObstacleSearchOptions;
  #lookedAt: Micros | undefined;

  constructor(options: ObstacleSearchOptions) {
    this.#options = options;
  }

  /** Looks for what kept an advert of `from` to `destination`, unless it just did. */
  lookFor(from: Ipv4, destination: Ipv4): void {
    const { now, onError } = this.#options;
    if (this.#lookedAt !== undefined && since(now(), this.#lookedAt) < LOOK_AGAIN) return;
    this.#lookedAt = now();
    this.#look(from, destination).catch((error: unknown) => onError(messageOf(error)));
  }

  /** The CARP socket hears again: what is in the way next time may be another thing. */
  clear(): void {
    this.#lookedAt = undefined;
  }

  /** The interface may have another name by now. */
  get #name(): string {
    return this.#options.link()?.name ?? this.#options.interfaceName;
  }

  async #look(from: Ipv4, destination: Ipv4): Promise<void> {
    const lookedAt = this.#lookedAt;
    const found = this.#plainOne(from) ?? (await this.#behindFirewall(from, destination));
    if (this.#lookedAt === lookedAt) this.#options.onFound(found);
  }

  #plainOne(from: Ipv4): Obstacle | undefined {
    const { link, filtersStrictly, wayBackTo } = this.#options;
    if (link()?.master !== undefined) return 'upper-interface';
    const isStrict = filtersStrictly(this.#name) === true;
    return isStrict && wayBackTo(from) !== this.#name ? 'reverse-path' : undefined;
  }

  async #behindFirewall(from: Ipv4, destination: Ipv4): Promise<Obstacle> {
    const facts = await this.#options.readFirewall();
    const sources = [formatIpv4(from)];
    const findings = firewallFindings(facts, this.#name, formatIpv4(destination), sources);
    const isInTheWay = findings.some(({ text }) => text.includes('on the way in'));
    return isInTheWay ? 'firewall' : 'unknown';
  }
}
