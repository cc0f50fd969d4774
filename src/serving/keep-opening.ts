// Opens what the election does not depend on: now, or as soon as it can be; and anew when it is
// lost.
import { messageOf } from '../base/errors.ts';

/** Something that is open until it is closed, which may be asked for more than once. */
export interface Opened {
  /** Resolves after the first attempt: to why it could not be opened, or to undefined. */
  readonly firstFailure: Promise<string | undefined>;
  close(): void;
  /** As `close`, but who is connected is still answered. */
  retire(): void;
}

/** Something open that may get out of reach although nobody closed it. */
export interface Losable extends Pick<Opened, 'close' | 'retire'> {
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
  let tried: (failure: string | undefined) => void = () => undefined;
  const firstFailure = new Promise<string | undefined>((resolve) => (tried = resolve));

  const opened = (thing: Losable): void => {
    tried(undefined);
    if (closed) return thing.close();
    current = thing;
    reported = undefined;
    timer = setInterval(look, LOOK_MS);
    onOpened();
  };
  const failed = (error: unknown): void => {
    const reason = messageOf(error);
    tried(reason);
    if (closed) return;
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
  return { firstFailure, close: () => end('close'), retire: () => end('retire') };
}
