// The loop of a simulated daemon: work is done one after the other, and what comes in while the
// process stands still waits.

/** Something that came in while the process stood still. */
export interface Waiting {
  /** It waits in a socket for frames. */
  readonly isFrame: boolean;
  readonly run: () => void;
}

export class Loop {
  readonly #queue: (() => void)[] = [];
  #backlog: Waiting[] | undefined;
  #stepping = false;
  #closed = false;

  get frozen(): boolean {
    return this.#backlog !== undefined;
  }

  /** Something comes in from outside. */
  post(run: () => void, isFrame = false): void {
    if (this.#closed) return;
    if (this.#backlog !== undefined) this.#backlog.push({ isFrame, run });
    else this.enqueue(run);
  }

  /** One step at a time, also where what comes of one is the cause of another. */
  enqueue(run: () => void): void {
    this.#queue.push(run);
    if (this.#stepping) return;
    this.#stepping = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) next();
    } finally {
      this.#stepping = false;
    }
  }

  play(waiting: readonly Waiting[]): void {
    for (const { run } of waiting) this.enqueue(run);
  }

  freeze(): void {
    if (!this.#closed) this.#backlog ??= [];
  }

  /** Runs again, and hands over what came in meanwhile. */
  thaw(): readonly Waiting[] {
    const backlog = this.#backlog ?? [];
    this.#backlog = undefined;
    return backlog;
  }

  /** Nothing comes in any more. */
  close(): void {
    this.#closed = true;
    this.#backlog = undefined;
  }
}
