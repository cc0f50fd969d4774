// What it means to run a child process, for the adapter that does it and those who ask for it.

/** The text as one word of a shell's command line, for people to paste. */
export function shellWord(text: string): string {
  if (/^[\w.@:+,%/-]+$/.test(text)) return text;
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A sysctl of IPv4 on an interface, in whose name a dot would part two words. */
export function sysctlKey(interfaceName: string, key: string): string {
  return `net.ipv4.conf.${interfaceName.replaceAll('.', '/')}.${key}`;
}

/** One child process to run, without a shell. */
export interface CommandRequest {
  readonly argv: readonly string[];
  /** What the child reads from its standard input, and then its end; none if not given. */
  readonly input?: string;
  /** At this age the whole process group is killed; at most 2^31-1. */
  readonly timeoutMs: number;
  /** The whole environment; that of this process if not given. */
  readonly env?: Readonly<Record<string, string>>;
  /** At most this much of the output is kept in the result (64 KiB if not given); all is read. */
  readonly outputBytesMax?: number;
  /** Called for every line the child writes, as it comes; of a long line only the beginning. */
  readonly onLine?: (line: string) => void;
}

/** How a child process ended. */
export type CommandResult =
  | {
      readonly kind: 'exited';
      /** Undefined where a signal ended it. */
      readonly code: number | undefined;
      readonly signal?: string | undefined;
      /** Standard output and standard error, as they came. */
      readonly output: string;
      readonly truncated: boolean;
    }
  /**
   * Not over at the limit; its process group was killed. `ended` is false where it hangs in the
   * kernel, which no signal ends: it may still do what it was about to do.
   */
  | { readonly kind: 'timeout'; readonly ended: boolean }
  /** No such program, or no such interpreter as the first line of the script names. */
  | { readonly kind: 'missing' }
  /** No execute permission, or neither a binary nor a script with a "#!" line. */
  | { readonly kind: 'not-executable' }
  | { readonly kind: 'failed'; readonly detail: string };

/** A child process under way; `result` never rejects. */
export interface RunningCommand {
  readonly result: Promise<CommandResult>;
  /** Kills the whole process group; nothing once the command has ended. */
  readonly kill: () => void;
}
