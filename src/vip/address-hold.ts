// How far one instance holds its virtual IP: from the claim that waits for its advert until the
// address is known to be off.

/**
 * off: nothing of it is on the interface, as far as is known. held: it may be there since the claim
 * of `term`; `fault`: why a release failed before. stuck: the release of `term` failed and is tried
 * again; `heldTerm`: the term of held.
 */
type Phase =
  | { readonly kind: 'off' }
  | { readonly kind: 'held'; readonly term: number; readonly fault: string | undefined }
  | {
      readonly kind: 'stuck';
      readonly term: number;
      readonly fault: string;
      readonly heldTerm: number | undefined;
    };

const OFF: Phase = { kind: 'off' };

/** The hold on one virtual IP, over all terms. */
export class AddressHold {
  #phase: Phase = OFF;
  /** A claim that waits for its advert, maybe while the address of an earlier term is held. */
  #dueTerm: number | undefined;

  /** The address may be on the interface. */
  get held(): boolean {
    return heldTermOf(this.#phase) !== undefined;
  }

  /** The term whose release failed and is tried again. */
  get stuckTerm(): number | undefined {
    return this.#phase.kind === 'stuck' ? this.#phase.term : undefined;
  }

  /** Why the last release failed, until one works. */
  get fault(): string | undefined {
    return this.#phase.kind === 'off' ? undefined : this.#phase.fault;
  }

  /** The address is to be claimed when the advert of this term has left. */
  due(term: number): void {
    this.#dueTerm = term;
  }

  /** That advert has left. False: the term was given up meanwhile, and claims nothing. */
  claim(term: number): boolean {
    if (this.#dueTerm !== term) return false;
    this.#dueTerm = undefined;
    this.#phase = { kind: 'held', term, fault: this.fault };
    return true;
  }

  /** The address is to go. True: its claim was due and is never made. */
  giveUp(): boolean {
    const wasDue = this.#dueTerm !== undefined;
    this.#dueTerm = undefined;
    return wasDue;
  }

  releaseFailed(term: number, fault: string): void {
    this.#phase = { kind: 'stuck', term, fault, heldTerm: heldTermOf(this.#phase) };
  }

  /** The address is off. Returns the term whose release this ends: that of the one that failed. */
  released(term: number): number {
    const owed = this.stuckTerm ?? term;
    const heldTerm = heldTermOf(this.#phase);
    const isOver = heldTerm === undefined || heldTerm === term || heldTerm === owed;
    this.#phase = isOver ? OFF : { kind: 'held', term: heldTerm, fault: undefined };
    return owed;
  }
}

function heldTermOf(phase: Phase): number | undefined {
  switch (phase.kind) {
    case 'off':
      return undefined;
    case 'held':
      return phase.term;
    case 'stuck':
      return phase.heldTerm;
  }
}
