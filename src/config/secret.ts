// Holds a passphrase so that no log, dump, JSON or error message can print it by accident.

const REDACTED = '[redacted]';

/** Node's well-known symbol for a custom console.log and util.inspect form. */
const inspectCustom: unique symbol = Symbol.for('nodejs.util.inspect.custom');

/**
 * Secret bytes. Whatever turns it into text gives "[redacted]"; only `reveal` gives the bytes.
 * The bytes are in a private field, so deep comparison sees two secrets as equal: use `equals`.
 */
export class Secret {
  readonly #bytes: Uint8Array;

  /** Copies the bytes; the caller may wipe its own. */
  constructor(bytes: Uint8Array) {
    this.#bytes = Uint8Array.from(bytes);
  }

  /** A copy of the bytes, for the one place that computes the digest. */
  reveal(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }

  /** Whether both hold the same bytes; for comparing configurations, not for authentication. */
  equals(other: Secret): boolean {
    const theirs = other.#bytes;
    return (
      this.#bytes.length === theirs.length &&
      this.#bytes.every((byte, index) => byte === theirs[index])
    );
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspectCustom](): string {
    return REDACTED;
  }
}
