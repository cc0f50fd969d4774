// Opens what the election does not depend on: now, or as soon as it can be.
import { messageOf } from '../base/errors.ts';

export interface Opened {
  close(): void;
}

export interface OpeningOptions<Thing extends Opened> {
  readonly open: () => Promise<Thing>;
  /** It is open. Not called if it was closed meanwhile. */
  readonly onOpened: (thing: Thing) => void;
  /** Called once for each reason, not for each attempt. */
  readonly onFailed: (reason: string) => void;
}

const RETRY_MS = 10_000;

/** Tries until it is open, every 10 s; closes it, or gives up, when it is closed. */
export function keepOpening<Thing extends Opened>(options: OpeningOptions<Thing>): Opened {
  const { open, onOpened, onFailed } = options;
  let told: string | undefined;
  let closed = false;
  let retry: NodeJS.Timeout | undefined;
  let current: Thing | undefined;

  const attempt = async (): Promise<void> => {
    try {
      const thing = await open();
      if (closed) {
        thing.close();
        return;
      }
      current = thing;
      onOpened(thing);
    } catch (error) {
      const reason = messageOf(error);
      if (reason !== told) onFailed(reason);
      told = reason;
      if (!closed) retry = setTimeout(() => void attempt(), RETRY_MS);
    }
  };
  void attempt();
  return {
    close: () => {
      closed = true;
      clearTimeout(retry);
      current?.close();
      current = undefined;
    },
  };
}
