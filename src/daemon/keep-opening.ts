// Opens what the election does not depend on: now, or as soon as it can be.
import { messageOf } from '../base/errors.ts';

/** Something that is open until it is closed, which may be asked for more than once. */
export interface Opened {
  close(): void;
}

export interface OpeningOptions {
  readonly open: () => Promise<Opened>;
  readonly onOpened: () => void;
  /** Called once for each reason, not for each attempt. */
  readonly onFailed: (reason: string) => void;
}

const RETRY_MS = 10_000;

/** Tries until it is open, every 10 s; closing ends that, or closes what was opened. */
export function keepOpening({ open, onOpened, onFailed }: OpeningOptions): Opened {
  let told: string | undefined;
  let closed = false;
  let retry: NodeJS.Timeout | undefined;
  let current: Opened | undefined;

  const opened = (thing: Opened): void => {
    if (closed) return thing.close();
    current = thing;
    onOpened();
  };
  const failed = (error: unknown): void => {
    if (closed) return;
    const reason = messageOf(error);
    if (reason !== told) onFailed(reason);
    told = reason;
    retry = setTimeout(attempt, RETRY_MS);
  };
  const attempt = (): void => void open().then(opened, failed);
  attempt();
  return {
    close: () => {
      closed = true;
      clearTimeout(retry);
      current?.close();
      current = undefined;
    },
  };
}
