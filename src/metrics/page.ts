// One rendering for all who ask at the same time: a thousand scrapers cost no more than one that
// asks twice a second.

/** How long a rendering is good enough for the next one who asks. */
const FRESH_MS = 500;

/** Shares what `render` yields with all who ask within half a second. */
export class Page {
  readonly #render: () => Promise<string>;
  readonly #nowMs: () => number;
  #content: Promise<Uint8Array> | undefined;
  #staleAtMs = Infinity;

  /** `nowMs`: a monotonic clock. */
  constructor(render: () => Promise<string>, nowMs: () => number) {
    this.#render = render;
    this.#nowMs = nowMs;
  }

  /** The page as it was half a second ago at most, in UTF-8; rejects if it can't be rendered. */
  content(): Promise<Uint8Array> {
    if (this.#content === undefined || this.#nowMs() >= this.#staleAtMs) {
      this.#staleAtMs = Infinity;
      this.#content = this.#rendered();
    }
    return this.#content;
  }

  async #rendered(): Promise<Uint8Array> {
    try {
      return new TextEncoder().encode(await this.#render());
    } finally {
      this.#staleAtMs = this.#nowMs() + FRESH_MS;
    }
  }
}
