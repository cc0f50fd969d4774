// `carpd doctor`: reads the configuration, asks the daemon if there is one, and prints what the
// examination found.
import { accessSync, constants } from 'node:fs';
import { messageOf } from '../base/errors.ts';
import { CONTROL_SOCKET_DEFAULT, type Config } from '../config/config.ts';
import { describeFault, loadConfigFile, type Fault } from '../config/load.ts';
import { credentialName } from '../config/passphrase.ts';
import { readFileWithMode, withoutPassphrases } from '../config/read-file.ts';
import { planLines } from '../config/reload-plan.ts';
import { serviceFallbacks } from '../config/service-environment.ts';
import type { ExamineTarget } from '../doctor/doctor.ts';
import { explainLine } from '../report/explain-text.ts';
import type { StatusReport } from '../report/report.ts';
import { finding, type Finding } from '../doctor/checks/catalogue.ts';
import type { RunningDaemon } from '../doctor/checks/place-checks.ts';
import { isFit, reportJson, reportText } from '../doctor/report.ts';
import type { DoctorCommand } from './commands.ts';
import { HTTP_CONFLICT, HTTP_OK } from './ask.ts';
import { hasColour, type TerminalLike } from './screen.ts';
import type { CommandOutcome } from './check.ts';
import { askDaemon } from './control-client.ts';
import { isSameFile } from './reload.ts';

const EXIT_UNFIT = 1;
const EXIT_CONFIGURATION = 2;
/** The daemon reads its file within a minute. */
const READ_MS_MAX = 70_000;

/** Examines until it is done or `signal` comes; what was found by then is printed. */
export async function doctor(
  { configPath, interfaceName, json, seconds }: DoctorCommand,
  screen: TerminalLike,
  signal: AbortSignal,
): Promise<CommandOutcome> {
  const isClosed = configPath !== undefined && isOutOfReach(configPath);
  const read = configPath === undefined || isClosed ? undefined : readConfig(configPath);
  if (read?.config === undefined && configPath !== undefined && !isClosed) {
    const faults = read?.faults ?? [];
    const stderr = faults.map((one) => `carpd: ${configPath}: ${describeFault(one)}\n`).join('');
    return { stdout: '', stderr, exitCode: EXIT_CONFIGURATION };
  }
  const about = isClosed
    ? [outOfReach(configPath)]
    : read === undefined
      ? []
      : configurationFindings(read);
  const target = isClosed
    ? await targetOutside(configPath)
    : await targetOf(configPath ?? '', read, interfaceName);
  try {
    // Loaded late: where an addon is broken the rest of carpd works.
    const { examine } = await import('../doctor/doctor.ts');
    const found = [...about, ...(await examine(target, { seconds, signal }))];
    const stdout = json ? reportJson(found) : reportText(found, hasColour(screen));
    return { stdout, stderr: '', exitCode: isFit(found) ? 0 : EXIT_UNFIT };
  } catch (error) {
    const stderr = `carpd: doctor: ${messageOf(error)}\n`;
    return { stdout: '', stderr, exitCode: EXIT_UNFIT };
  }
}

/** What is found without listening to a segment; nothing where the configuration is wrong. */
export async function examineHost(configPath: string): Promise<readonly Finding[]> {
  const read = readConfig(configPath);
  if (read.config === undefined) return [];
  const { examine } = await import('../doctor/doctor.ts');
  const { signal } = new AbortController();
  return examine(await targetOf(configPath, read), { seconds: 0, signal });
}

interface ReadConfig {
  readonly config: Config | undefined;
  readonly faults: readonly Fault[];
  readonly warnings: readonly Fault[];
  /** Passphrases that systemd shows to the service alone. */
  readonly unread: readonly string[];
}

function readConfig(configPath: string): ReadConfig {
  const unread: string[] = [];
  const hasCredentials = (process.env['CREDENTIALS_DIRECTORY'] ?? '') !== '';
  const withoutCredentials = withoutPassphrases(configPath);
  const result = loadConfigFile(configPath, (path, bytesMax) => {
    const isCredential = !hasCredentials && credentialName(path) !== undefined;
    if (!isCredential && (path === configPath || !isOutOfReach(path))) {
      return readFileWithMode(path, bytesMax);
    }
    unread.push(path);
    return withoutCredentials(path, bytesMax);
  });
  const { warnings } = result;
  return result.ok
    ? { config: result.config, faults: [], warnings, unread }
    : { config: undefined, faults: [...result.faults, ...warnings], warnings, unread };
}

function configurationFindings({ warnings, unread }: ReadConfig): readonly Finding[] {
  const found = warnings.map((one) => {
    return finding('configuration-warning', 'host', describeFault(one));
  });
  const good = finding('configuration-good', 'host', 'the configuration is valid');
  const unseen = unread.map((path) => {
    const whose =
      credentialName(path) === undefined
        ? 'may not be read by this user'
        : 'is shown to the service alone';
    return finding('not-looked', 'host', `${path} ${whose}: digests of adverts are not checked`);
  });
  return [...(found.length === 0 ? [good] : found), ...unseen];
}

async function targetOf(
  configPath: string,
  read: ReadConfig | undefined,
  interfaceName = '',
): Promise<ExamineTarget> {
  const config = read?.config;
  const hasPassphrases = read?.unread.length === 0;
  const names = config?.instances.map((one) => one.interfaceName) ?? [interfaceName];
  const running = await runningDaemon(config?.control.socket, configPath);
  const interfaceNames = [...new Set(names)];
  return { configPath, config, hasPassphrases, interfaceNames, running };
}

/** Whether this user may not read the file, though it is there. */
function isOutOfReach(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EACCES';
  }
}

function outOfReach(path: string): Finding {
  const text = `${path} may not be read by this user: what it says is not looked at`;
  return finding('not-looked', 'host', text, 'run the doctor as root');
}

/** For a user who may ask the daemon and not read its file: the interfaces that it serves. */
async function targetOutside(configPath: string): Promise<ExamineTarget> {
  const socket = serviceFallbacks(process.env)['control.socket'] ?? CONTROL_SOCKET_DEFAULT;
  const running = await runningDaemon(socket, configPath);
  const interfaceNames = [...new Set(running?.interfaces ?? [])];
  return { configPath, config: undefined, hasPassphrases: false, interfaceNames, running };
}

interface AnsweringDaemon extends RunningDaemon {
  readonly interfaces: readonly string[];
}

/** The daemon that answers on the socket of this configuration. */
async function runningDaemon(
  socket: string | undefined,
  configPath: string,
): Promise<AnsweringDaemon | undefined> {
  if (socket === undefined) return undefined;
  const answer = await askDaemon(socket, '/v1/status');
  if (!answer.ok || answer.value.status !== HTTP_OK) return undefined;
  try {
    const { pid, config, instances } = JSON.parse(answer.value.text) as StatusReport;
    const states = instances.map((report) => {
      const { name, state, fault, maintenance } = report;
      const held = state === 'HELD' ? explainLine(report) : undefined;
      return { name, state, fault: fault ?? undefined, held, inMaintenance: maintenance !== null };
    });
    const interfaces = instances.map((one) => one.interface);
    const file = isSameFile(config, configPath) ? await askOfFile(socket) : {};
    return { pid, states, interfaces, ...file };
  } catch {
    // Something that is no carpd, or one of another version.
    return undefined;
  }
}

/** What the daemon makes of its file as it is now: it reads it with its own rights. */
async function askOfFile(socket: string): Promise<Pick<RunningDaemon, 'refusals' | 'drift'>> {
  const asked = { body: { dryRun: true }, withinMs: READ_MS_MAX };
  const answer = await askDaemon(socket, '/v1/reload', asked);
  if (!answer.ok) return {};
  const { status, text } = answer.value;
  if (status === HTTP_CONFLICT) {
    const { error } = JSON.parse(text) as { error: { faults: readonly string[] } };
    return { refusals: error.faults };
  }
  if (status !== HTTP_OK) return {};
  const { lines } = JSON.parse(text) as { lines: readonly string[] };
  const same = planLines({ daemon: [], instances: [] });
  return lines.join() === same.join() ? {} : { drift: lines };
}
