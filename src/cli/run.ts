// `carpd run`: the daemon in the foreground.
import { resolve } from 'node:path';
import { fail, ok } from '../base/result.ts';
import { loadConfigApart } from '../config/load-apart.ts';
import { describeFault, loadConfigFile, type Fault } from '../config/load.ts';
import { readFileWaiting } from '../config/read-file.ts';
import { earlySignals } from '../process/early-signals.ts';
import { openLog } from '../log/log.ts';
import { findDoubts, findObstacle } from '../process/preflight.ts';
import { runDaemon } from '../process/process.ts';
import type { Reloaded } from '../process/reloads.ts';
import { nameProcess } from './process-name.ts';
import { version } from './version.ts';

const EXIT_USAGE = 2;
const STDOUT = 1;

/** Runs the daemon that the file configures; resolves to the exit code. */
export async function run(configPath: string): Promise<number> {
  const readFile = readFileWaiting((read) => earlySignals.giveUpWhile(read));
  const loaded = loadConfigFile(configPath, readFile);
  if (!loaded.ok) {
    for (const fault of loaded.faults) complain(`${configPath}: ${describeFault(fault)}`);
    return EXIT_USAGE;
  }
  const obstacle = findObstacle();
  if (obstacle !== undefined) {
    complain(obstacle);
    return EXIT_USAGE;
  }
  nameProcess('carpd');
  const { config } = loaded;
  const { level, format } = config.log;
  const log = openLog({ level, format, fd: STDOUT });
  const manages = config.instances.some(({ manageAddress }) => manageAddress);
  const warnings = [
    ...loaded.warnings.map((warning) => `${configPath}: ${describeFault(warning)}`),
    ...findDoubts(manages),
  ];
  const mode = {
    reload: () => reload(configPath),
    endWithInterface: false,
  };
  const file = resolve(configPath);
  return runDaemon({
    config,
    configPath: file,
    log,
    warnings,
    mode,
    version: version(),
    onFailed: complain,
  });
}

async function reload(configPath: string): Promise<Reloaded> {
  const loaded = await loadConfigApart(configPath);
  const located = (fault: Fault): string => `${configPath}: ${describeFault(fault)}`;
  const warnings = loaded.warnings.map(located);
  return { warnings, config: loaded.ok ? ok(loaded.config) : fail(loaded.faults.map(located)) };
}

function complain(text: string): void {
  process.stderr.write(`carpd: ${text}\n`);
}
