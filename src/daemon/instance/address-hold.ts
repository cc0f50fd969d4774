// How far one instance holds its virtual IP: from the claim that waits for its advert until the
// address is known to be off.

/**
 * due: a claim waits for its advert. held: the address may be on the interface. stuck: it was to be
 * taken off, could not be, and is tried again. Each has a term of its own: a claim may be due while
 * the address of an earlier term is still held or stuck.
 */
export class AddressHold {
  #dueTerm: number | undefined;
  #heldTerm: number | undefined;
  #stuckTerm: number | undefined;
  #fault: string | undefined;

  /** The address may be on the interface. */
  get held(): boolean {
    return this.#heldTerm !== undefined;
  }

  /** The term whose release failed and is tried again. */
  get stuckTerm(): number | undefined {
    return this.#stuckTerm;
  }

  /** Why the last release failed, until one works. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** The address is to be claimed when the advert of this term has left. */
  due(term: number): void {
    this.#dueTerm = term;
  }

  /** That advert has left. False: the term was given up meanwhile, and claims nothing. */
  claim(term: number): boolean {
    if (this.#dueTerm !== term) return false;
    this.#dueTerm = undefined;
    this.#heldTerm = term;
    this.#stuckTerm = undefined;
    return true;
  }

  /** The address is to go. True: its claim was due and is never made. */
  giveUp(): boolean {
    const wasDue = this.#dueTerm !== undefined;
    this.#dueTerm = undefined;
    return wasDue;
  }

  releaseFailed(term: number, fault: string): void {
    this.#stuckTerm = term;
    this.#fault = fault;
  }

  /** The address is off. Returns the term whose release this ends: that of the one that failed. */
  released(term: number): number {
    const owed = this.#stuckTerm ?? term;
    if (this.#heldTerm === term || this.#heldTerm === owed) this.#heldTerm = undefined;
    this.#stuckTerm = undefined;
    this.#fault = undefined;
    return owed;
  }
}
