// Tells of the claims of others for the virtual IP of a master once it is known whose they are: a
// node that has just become master announces itself before its advert has been read.
import { toMillis, type Micros } from '../../base/time.ts';
import type { Mac } from '../../base/addresses.ts';
import type { ElectionSnapshot } from '../../election/snapshot.ts';
import type { Ports } from '../../ports/ports.ts';
import type { Claimant } from '../../election/claimant.ts';
import type { ForeignClaim } from '../../carp/claim.ts';

export interface ClaimPublisherOptions extends Pick<Ports, 'startTimer'> {
  /** How long another master may take until it is heard: one interval of the adverts. */
  readonly interval: () => Micros;
  /** Whose claim it is, as far as that is known now. */
  readonly judge: (mac: Mac) => Claimant;
  /** `answered`: the address is announced again for it. */
  readonly publish: (claim: ForeignClaim, claimant: Claimant, answered: boolean) => void;
}

interface Waiting {
  readonly claim: ForeignClaim;
  frames: number;
  readonly answered: boolean;
  readonly cancel: () => void;
}

/** An advert may be late by so much of its interval. */
const INTERVALS_TO_WAIT = 1.5;
/** More claims than that, each of another form or MAC address, are published at once. */
const WAITING_MAX = 16;

/** Publishes foreign claims for the virtual IP of one instance, once their owner is known. */
export class ClaimPublisher {
  readonly #options: ClaimPublisherOptions;
  readonly #waiting = new Map<string, Waiting>();

  constructor(options: ClaimPublisherOptions) {
    this.#options = options;
  }

  /** A claim came in; `election` is how it stands before the claim is answered. */
  heard(claim: ForeignClaim, { state, leaving, inDoubt }: ElectionSnapshot): void {
    const answered =
      state === 'MASTER' && leaving === undefined && !inDoubt && claim.form !== 'probe';
    const claimant = this.#options.judge(claim.mac);
    const full = this.#waiting.size >= WAITING_MAX;
    const key = `${claim.form} ${claim.mac} ${String(answered)}`;
    const known = this.#waiting.get(key);
    if (known !== undefined) known.frames += claim.frames;
    else if (claim.form === 'probe' || claimant.kind === 'rival' || full) {
      this.#options.publish(claim, claimant, answered);
    } else this.#wait(key, claim, answered);
  }

  /** What waits is published at once. */
  close(): void {
    for (const key of [...this.#waiting.keys()]) this.#publish(key);
  }

  #wait(key: string, claim: ForeignClaim, answered: boolean): void {
    const { startTimer, interval } = this.#options;
    const waitMs = Math.ceil(toMillis(interval()) * INTERVALS_TO_WAIT);
    const cancel = startTimer(waitMs, () => this.#publish(key));
    this.#waiting.set(key, { claim, frames: claim.frames, answered, cancel });
  }

  #publish(key: string): void {
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) return;
    waiting.cancel();
    this.#waiting.delete(key);
    const { claim, frames, answered } = waiting;
    this.#options.publish({ ...claim, frames }, this.#options.judge(claim.mac), answered);
  }
}
