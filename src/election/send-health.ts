// Demotion by send errors (ucarp carp_send_ad: CARP_SENDAD_MAX_ERRORS, CARP_SENDAD_MIN_SUCCESS): a
// master that can't send bids low, so that a peer that can wins as soon as the two hear each other.

const ERRORS_TO_DEMOTE = 3;
const SUCCESSES_TO_RECOVER = 3;

/** What a send result changed. */
export type SendVerdict = 'unchanged' | 'demoted' | 'recovered';

/** Counts send results in a row. */
export class SendHealth {
  #errors = 0;
  #successes = 0;
  #demoted = false;

  get demoted(): boolean {
    return this.#demoted;
  }

  /** Takes note of one regular advert that left, or did not. */
  record(sent: boolean): SendVerdict {
    if (!sent) {
      this.#successes = 0;
      this.#errors += 1;
      if (this.#demoted || this.#errors < ERRORS_TO_DEMOTE) return 'unchanged';
      this.#demoted = true;
      return 'demoted';
    }
    this.#errors = 0;
    if (!this.#demoted) return 'unchanged';
    this.#successes += 1;
    return this.#successes < SUCCESSES_TO_RECOVER ? 'unchanged' : this.recover();
  }

  /** Ends the demotion; a node that no longer sends could never prove itself by sending. */
  recover(): SendVerdict {
    const was = this.#demoted;
    this.#demoted = false;
    this.#errors = 0;
    this.#successes = 0;
    return was ? 'recovered' : 'unchanged';
  }
}
