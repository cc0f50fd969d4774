// Work of the loop that is done once for all who ask for it until its turn comes.

interface Due {
  readonly promise: Promise<void>;
  readonly resolve: (done: void | Promise<void>) => void;
}

/** Runs one piece of work once in the next turn, however often it is asked for. */
export class Soon {
  readonly #post: (run: () => void) => void;
  readonly #run: () => void | Promise<void>;
  #due: Due | undefined;

  constructor(post: (run: () => void) => void, run: () => void | Promise<void>) {
    this.#post = post;
    this.#run = run;
  }

  /** Resolves when it has been done after this. */
  ask(): Promise<void> {
    if (this.#due !== undefined) return this.#due.promise;
    const { promise, resolve } = withResolver();
    const due: Due = { promise, resolve };
    this.#due = due;
    this.#post(() => {
      if (this.#due === due) this.flush();
    });
    return promise;
  }

  /** Does now what was asked for; nothing if nothing was. */
  flush(): void {
    const due = this.#due;
    this.#due = undefined;
    due?.resolve(this.#run());
  }
}

function withResolver(): Due {
  let resolve: Due['resolve'] = () => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
