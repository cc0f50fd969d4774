// What one interface hears of other nodes: two copies of an advert come out as one, with what it
// says to the readiness, by which socket it came, and what kept it from the other. Pure.
import { unreachable } from '../base/assert.ts';
import type { Micros } from '../base/time.ts';
import { isBowOut } from '../carp/advert.ts';
import { UNHEARD_ADVSKEW } from '../election/bid.ts';
import { advertInterval } from '../election/cadence.ts';
import type { AdvertHeard } from '../readiness/inputs.ts';
import type { Obstacle } from '../readiness/obstacle.ts';
import { AdvertPairs, type PairedAdvert, type Settled } from './advert-pairs.ts';
import type { SegmentInput } from './inputs.ts';
import type { WitnessWishes } from './witness-wish.ts';

export type HearingInput = Extract<
  SegmentInput,
  {
    kind:
      | 'socket-copy'
      | 'witness-copy'
      | 'packet-refused'
      | 'socket-emptied'
      | 'witness-covers'
      | 'sockets-read'
      | 'flood-changed'
      | 'obstacle-found';
  }
>;

const NOTHING: Settled = { adverts: [], refused: [] };

/** The adverts of one segment, from the copies that its sockets get. */
export class Hearing {
  /** Guests of this host have part in the interface, so that an advert may be one of theirs. */
  hasGuests = false;
  readonly #pairs: AdvertPairs;
  readonly #witness: WitnessWishes;
  /** What keeps adverts from the CARP socket; undefined: nothing that is known of. */
  #obstacle: Obstacle | undefined;

  /** `epoch`: the one of the link that has begun. */
  constructor(epoch: number, witness: WitnessWishes) {
    this.#pairs = new AdvertPairs(epoch);
    this.#witness = witness;
  }

  /** When a copy has waited long enough for the other one. */
  get deadline(): Micros | undefined {
    return this.#pairs.deadline;
  }

  /** Takes one input; returns the adverts and the refused packets that it settles, in order. */
  take(input: HearingInput, now: Micros): Settled {
    switch (input.kind) {
      case 'socket-copy': {
        const paired = this.#pairs.socketCopy(input, input.witnessRead, now);
        return paired === undefined ? NOTHING : { adverts: [paired], refused: [] };
      }
      case 'witness-copy':
        this.#pairs.witnessCopy(input, input.epoch, now);
        return NOTHING;
      case 'packet-refused':
        if (input.heardBy === 'witness') this.#pairs.witnessRefused(input.dropped, now);
        else this.#pairs.socketRefused(now);
        return input.heardBy === 'witness' ? NOTHING : { adverts: [], refused: [input.dropped] };
      case 'socket-emptied':
        this.#pairs.socketEmptied(input.epoch);
        return NOTHING;
      case 'witness-covers':
        this.#pairs.witnessCovers(input.covers);
        return NOTHING;
      case 'sockets-read':
        return this.#pairs.settleAll(now);
      case 'flood-changed':
        this.#witness.flooded = input.flooded;
        return NOTHING;
      case 'obstacle-found':
        this.#obstacle = input.obstacle;
        return NOTHING;
      default:
        return unreachable(input);
    }
  }

  /** Gives up the copies whose deadline has come. */
  settle(now: Micros): Settled {
    return this.#pairs.settle(now);
  }

  /** The instance is gone, and so are the copies of adverts for it. */
  forget(name: string): void {
    this.#pairs.forget(name);
  }

  /** What an advert is to the readiness of the link. */
  describe({ name, from, advert, way }: PairedAdvert): AdvertHeard {
    // Nothing but the flood keeps it from the socket.
    const heardBy = this.#witness.flooded ? 'socket' : way.by;
    if (heardBy === 'socket') this.#obstacle = undefined;
    return {
      kind: 'advert-heard',
      name,
      from,
      interval: advertInterval(advert),
      leaving: isBowOut(advert),
      doubting: advert.advskew >= UNHEARD_ADVSKEW,
      epoch: way.epoch,
      heardBy,
      // Where no guest has part in the interface, all that it gets has come in by the uplink.
      throughUplink: !this.hasGuests || way.throughUplink === true,
      keptBy: heardBy === 'socket' ? undefined : (this.#obstacle ?? 'looking'),
    };
  }
}
