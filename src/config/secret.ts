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
  readonly #origin: string | undefined;

  /** Copies the bytes; the caller may wipe its own. `origin` is the file that they are from. */
  constructor(bytes: Uint8Array, origin?: string) {
    this.#bytes = Uint8Array.from(bytes);
    this.#origin = origin;
  }

  /** The same secret, which says what file it is from. */
  from(origin: string): Secret {
    return new Secret(this.#bytes, origin);
  }

  /** The file that it is from; undefined: it is from none. */
  get origin(): string | undefined {
    return this.#origin;
  }

  /** "[redacted]", with the file where it is from one; for the configuration that is shown. */
  get shown(): string {
    return this.#origin === undefined ? REDACTED : `${REDACTED}, from ${this.#origin}`;
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
