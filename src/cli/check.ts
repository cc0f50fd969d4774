// `carpd check`: validates a configuration file and prints the effective one, without touching the
// system beyond reading files.
import { formatEffective } from '../config/effective.ts';
import { describeFault, loadConfigFile, type Fault } from '../config/load.ts';
import type { ReadFile } from '../config/passphrase.ts';
import { hostWarnings, type HostView } from './host-warnings.ts';
import type { CheckCommand } from './commands.ts';

/** What a command prints and how it ends. */
export interface CommandOutcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

const EXIT_CONFIGURATION = 2;

/**
 * Faults and warnings go to stderr, one line each; the effective configuration to stdout. Where a
 * `host` is given, what does not fit it is warned of as well.
 */
export function checkConfig(
  options: Pick<CheckCommand, 'configPath' | 'json' | 'quiet'>,
  readFile: ReadFile,
  host?: HostView,
): CommandOutcome {
  const { configPath, json, quiet } = options;
  const result = loadConfigFile(configPath, readFile);
  const lines = (label: string, faults: readonly Fault[]): string =>
    faults.map((fault) => `carpd: ${configPath}: ${label}${describeFault(fault)}\n`).join('');
  const unfit = result.ok && host !== undefined ? hostWarnings(result.config, host) : [];
  const warnings = lines('warning: ', [...result.warnings, ...unfit]);
  if (!result.ok) {
    return {
      stdout: '',
      stderr: lines('', result.faults) + warnings,
      exitCode: EXIT_CONFIGURATION,
    };
  }
  const stdout = quiet ? '' : formatEffective(result.config, json ? 'json' : 'yaml');
  return { stdout, stderr: warnings, exitCode: 0 };
}
