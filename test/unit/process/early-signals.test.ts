// Checks what becomes of signals that come before the daemon can obey them.
import { deepEqual, equal, match } from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { createEarlySignals, type EarlySignals } from '../../../src/process/early-signals.ts';

describe('early signals', () => {
  test('are kept once each, and handed over in the order in which they came', () => {
    const { signals, source } = keeping();
    for (const signal of ['SIGUSR1', 'SIGHUP', 'SIGHUP', 'SIGTERM', 'SIGUSR1'])
      source.emit(signal, signal);
    deepEqual(signals.handOver(), ['SIGUSR1', 'SIGHUP', 'SIGTERM']);
    equal(listeners(source), 0);
    deepEqual(signals.handOver(), []);
  });

  test('end a command that is no daemon, the first of them, and none is heard any more', () => {
    const { signals, source, raised } = keeping();
    for (const signal of ['SIGUSR1', 'SIGTERM', 'SIGHUP']) source.emit(signal, signal);
    signals.giveUp();
    deepEqual(raised, ['SIGTERM']);
    deepEqual(source.eventNames(), ['SIGUSR1'], 'no debugger opens all the same');
  });

  test('raise nothing where only SIGUSR1 came', () => {
    const { signals, source, raised } = keeping();
    source.emit('SIGUSR1', 'SIGUSR1');
    signals.giveUp();
    deepEqual(raised, []);
  });

  test('end a reader that waits for a terminal, and are kept again after it', () => {
    const { signals, source, raised } = keeping();
    const names = signals.giveUpWhile(() => source.eventNames());
    deepEqual(names, ['SIGUSR1']);
    equal(listeners(source), 4);
    source.emit('SIGHUP', 'SIGHUP');
    deepEqual(signals.handOver(), ['SIGHUP']);
    equal(listeners(source), 0);
    deepEqual(raised, []);
  });

  test('are kept again after a read that failed', () => {
    const { signals, source } = keeping();
    const refuse = (): never => {
      throw new Error('no such file');
    };
    try {
      signals.giveUpWhile(refuse);
    } catch {
      equal(listeners(source), 4);
    }
  });

  for (const file of ['src/main.ts', 'src/ucarp.ts']) {
    test(`are kept by the first statement of ${file}, before all that takes time`, () => {
      const code = readFileSync(file, 'utf8').replaceAll(/^(?:#!|\/\/).*\n/gm, '');
      const [first = ''] = code.split('\n').filter((line) => !/^(?:import .*)?$/.test(line));
      match(first, /^earlySignals\.keep\(\[.*'SIGUSR1'.*\]\);$/);
      const imported = [...code.matchAll(/^import .* from '\.\/(.*)';$/gm)].map(([, name]) => name);
      for (const name of imported) {
        equal(/^import /m.test(readFileSync(`src/${String(name)}`, 'utf8')), false, name);
      }
    });
  }
});

interface Keeping {
  readonly signals: EarlySignals;
  readonly source: EventEmitter;
  readonly raised: readonly string[];
}

function keeping(): Keeping {
  const source = new EventEmitter();
  const raised: string[] = [];
  const signals = createEarlySignals({
    on: (signal, listener) => source.on(signal, listener),
    removeListener: (signal, listener) => source.removeListener(signal, listener),
    raise: (signal) => void raised.push(signal),
  });
  signals.keep(['SIGHUP', 'SIGTERM', 'SIGUSR1', 'SIGUSR2']);
  return { signals, source, raised };
}

function listeners(source: EventEmitter): number {
  return source.eventNames().reduce((sum, name) => sum + source.listenerCount(name), 0);
}
