// The end of an instance: asked for by a stop or a reload, and over when all that is under way has
// ended, or taken back where a reload finds that the instance can't go.

/** stop: it ends whatever happens. retire: a master whose address can't be taken off stays. */
export type EndRequest = 'stop-requested' | 'retire-requested';

export interface EndingOptions {
  readonly post: (run: () => void) => void;
  /** Tells all parts of it. */
  readonly begin: (request: EndRequest) => void;
  /** Nothing is under way any more. */
  readonly isIdle: () => boolean;
}

/** The end of one instance, under way or taken back. */
export class Ending {
  readonly #options: EndingOptions;
  #isOver = false;
  #onEnd: ((ended: boolean) => void) | undefined;

  constructor(options: EndingOptions) {
    this.#options = options;
  }

  /** The election has ended. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Resolves to whether it has ended; false: it stays. */
  ask(request: EndRequest): Promise<boolean> {
    return new Promise((resolve) => {
      this.#onEnd = (ended) => {
        this.#onEnd = undefined;
        resolve(ended);
      };
      this.#options.post(() => this.#options.begin(request));
    });
  }

  /** Who was asked to end by a reload must end now. */
  insist(): void {
    this.#options.post(() => {
      if (this.#onEnd !== undefined && !this.#isOver) this.#options.begin('stop-requested');
    });
  }

  /** Nothing more comes of the election but the end of what is under way. */
  over(): void {
    this.#isOver = true;
  }

  /** It does not end after all. */
  stays(): void {
    this.#onEnd?.(false);
  }

  /** Ends what is over and idle. */
  check(): void {
    if (this.#isOver && this.#options.isIdle()) this.#onEnd?.(true);
  }
}
