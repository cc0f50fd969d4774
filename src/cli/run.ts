// `carpd run`: the daemon in the foreground.
import type { Config } from '../config/config.ts';
import { loadConfigApart } from '../config/load-apart.ts';
import { describeFault, loadConfigFile } from '../config/load.ts';
import { readFileWaiting } from '../config/read-file.ts';
import { earlySignals } from '../process/early-signals.ts';
import type { EventSink } from '../events/bus.ts';
import { openLog } from '../log/log.ts';
import { findDoubts, findObstacle } from '../process/preflight.ts';
import { runDaemon } from '../process/process.ts';
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
    reload: (events: EventSink) => reload(configPath, events),
    endWithInterface: false,
  };
  return runDaemon({ config, log, warnings, mode, version: version(), onFailed: complain });
}

async function reload(configPath: string, events: EventSink): Promise<Config | undefined> {
  const loaded = await loadConfigApart(configPath);
  for (const warning of loaded.warnings) {
    const detail = `${configPath}: ${describeFault(warning)}`;
    events.publish({ event: 'configuration-warning', detail });
  }
  if (loaded.ok) return loaded.config;
  for (const fault of loaded.faults) {
    const detail = `${configPath}: ${describeFault(fault)}; the old configuration stays in force`;
    events.publish({ event: 'configuration-rejected', detail });
  }
  return undefined;
}

function complain(text: string): void {
  process.stderr.write(`carpd: ${text}\n`);
}
