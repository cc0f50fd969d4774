#!/usr/bin/env node
// ucarp: keeps early signals, looks at the Node that runs it, in words that an old one understands,
// and begins.
import { messageOf } from './base/errors.ts';
import { nodeComplaint } from './base/node-version.ts';
import { earlySignals } from './process/early-signals.ts';

earlySignals.keep(['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2']);

const EXIT_SET_UP = 2;

const complaint = nodeComplaint(process.versions.node);
if (complaint === undefined) {
  // Loaded late: an old Node stops at the first new word of a file that it loads.
  import('./cli/ucarp-front.ts').then(({ ucarp }) => ucarp(process.argv.slice(2))).catch(fail);
} else {
  process.stderr.write(`ucarp: ${complaint}\n`);
  process.exitCode = EXIT_SET_UP;
}

function fail(error: unknown): void {
  process.stderr.write(`ucarp: ${messageOf(error)}\n`);
  process.exit(EXIT_SET_UP);
}
