// Signals that come before the daemon can obey them. Without a listener SIGHUP and SIGUSR2 end a
// process of Node at once, and SIGUSR1 opens its debugger to everybody on the host. This file is
// loaded by the entry points before they look at their Node, so Node 12 has to understand it.

/** The process, as far as its signals go. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  removeListener(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  /** Sends this process a signal. */
  raise(signal: NodeJS.Signals): void;
}

/** Keeps signals that come before the daemon runs, and hands them over once it does. */
export interface EarlySignals {
  /** From now on these signals change nothing and are kept, each once. */
  keep(signals: readonly NodeJS.Signals[]): void;
  /** Has other listeners from now on: what was kept, in the order in which it came. */
  handOver(): readonly NodeJS.Signals[];
  /**
   * For a command that is no daemon: signals mean what they mean to any program, also those that
   * were kept. SIGUSR1 alone goes on doing nothing.
   */
  giveUp(): void;
  /** The same while `read` runs, which may wait for a terminal or a pipe and hears no signal. */
  giveUpWhile<Value>(read: () => Value): Value;
}

/** What opens Node's debugger where nobody listens. */
const DEBUGGER_SIGNAL = 'SIGUSR1';

/** For a process of its own; the entry points share one. */
export function createEarlySignals(source: SignalSource): EarlySignals {
  let wanted: readonly NodeJS.Signals[] = [];
  let kept: NodeJS.Signals[] = [];

  function take(signal: NodeJS.Signals): void {
    if (!kept.includes(signal)) kept.push(signal);
  }

  function listen(signals: readonly NodeJS.Signals[]): void {
    for (const signal of signals) source.on(signal, take);
  }

  function leave(signals: readonly NodeJS.Signals[]): void {
    for (const signal of signals) source.removeListener(signal, take);
  }

  function deadly(): readonly NodeJS.Signals[] {
    return wanted.filter((signal) => signal !== DEBUGGER_SIGNAL);
  }

  function giveUp(): void {
    leave(deadly());
    const first = kept.find((signal) => signal !== DEBUGGER_SIGNAL);
    if (first !== undefined) source.raise(first);
  }

  return {
    keep(signals) {
      wanted = signals;
      listen(signals);
    },
    handOver() {
      leave(wanted);
      const given = kept;
      kept = [];
      return given;
    },
    giveUp,
    giveUpWhile(read) {
      giveUp();
      try {
        return read();
      } finally {
        listen(deadly());
      }
    },
  };
}

/** Those of this process. */
export const earlySignals = createEarlySignals({
  on: (signal, listener) => process.on(signal, listener),
  removeListener: (signal, listener) => process.removeListener(signal, listener),
  raise: (signal) => process.kill(process.pid, signal),
});
