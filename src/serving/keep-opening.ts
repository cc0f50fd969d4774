// Opens what the election does not depend on: now, or as soon as it can be; and anew when it is
// lost.
import { messageOf } from '../base/errors.ts';

/** Something that is open until it is closed, which may be asked for more than once. */
export interface Opened {
  close(): void;
  /** As `close`, but who is connected is still answered. */
  retire(): void;
}

/** Something open that may get out of reach although nobody closed it. */
export interface Losable extends Opened {
  /** Whether no new client can reach it any more. */
  isLost(): boolean;
}

export interface OpeningOptions {
  readonly open: () => Promise<Losable>;
  readonly onOpened: () => void;
  /** Called once for each reason, not for each attempt. */
  readonly onFailed: (reason: string) => void;
  /** Called when it was lost, before it is opened again. */
  readonly onLost: () => void;
}

const RETRY_MS = 10_000;
/** How soon a loss is noticed. */
const LOOK_MS = 5_000;

/** Tries until it is open, every 10 s; closing ends that, or closes what was opened. */
export function keepOpening(options: OpeningOptions): Opened {
  const { open, onOpened, onFailed, onLost } = options;
  let reported: string | undefined;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let current: Losable | undefined;

  const opened = (thing: Losable): void => {
    if (closed) return thing.close();
    current = thing;
    reported = undefined;
    timer = setInterval(look, LOOK_MS);
    onOpened();
  };
  const failed = (error: unknown): void => {
    if (closed) return;
    const reason = messageOf(error);
    if (reason !== reported) onFailed(reason);
    reported = reason;
    timer = setTimeout(attempt, RETRY_MS);
  };
  const look = (): void => {
    if (current?.isLost() !== true) return;
    clearInterval(timer);
    current.retire();
    current = undefined;
    onLost();
    attempt();
  };
  const attempt = (): void => void open().then(opened, failed);
  attempt();
  const end = (how: 'close' | 'retire'): void => {
    closed = true;
    clearTimeout(timer);
    current?.[how]();
    current = undefined;
  };
  return { close: () => end('close'), retire: () => end('retire') };
}
