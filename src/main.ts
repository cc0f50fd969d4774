#!/usr/bin/env node
// carpd: keeps early signals, looks at the Node that runs it, in words that an old one understands,
// and begins.
import { messageOf } from './base/errors.ts';
import { nodeComplaint } from './base/node-version.ts';
import { earlySignals } from './process/early-signals.ts';

earlySignals.keep(['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2']);

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

const complaint = nodeComplaint(process.versions.node);
if (complaint === undefined) {
  // Loaded late: an old Node stops at the first new word of a file that it loads.
  import('./cli/carpd.ts').then(({ carpd }) => carpd(process.argv.slice(2))).catch(fail);
} else {
  process.stderr.write(`carpd: ${complaint}\n`);
  process.exitCode = EXIT_USAGE;
}

function fail(error: unknown): void {
  process.stderr.write(`carpd: ${messageOf(error)}\n`);
  process.exit(EXIT_FAILED);
}
