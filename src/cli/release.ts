// `carpd release`: virtual IPs off, where no daemon lives that holds them.
import { messageOf } from '../base/errors.ts';
import { formatIpv4 } from '../carp/addresses.ts';
import type { InstanceConfig } from '../config/config.ts';
import { describeFault, loadConfigFile } from '../config/load.ts';
import { withoutPassphrases } from '../config/read-file.ts';
import { release as releaseInstances, type Release } from '../daemon/release.ts';
import type { InstanceReport, StatusReport } from '../daemon/report.ts';
import { plainText } from '../daemon/text-format.ts';
import type { ReleaseCommand } from './args.ts';
import { complaint, EXIT_FAILED, EXIT_USAGE, HTTP_OK } from './ask.ts';
import type { CommandOutcome } from './check.ts';
import { askDaemon } from './control-client.ts';

/** A daemon that does not answer for so long keeps no address alive. */
const ANSWER_MS_MAX = 1_000;

/** Releases the instances that are named, or all. */
export async function release(command: ReleaseCommand): Promise<CommandOutcome> {
  const { configPath, names, quiet } = command;
  // What a service has left must go also where its credentials have gone already.
  const loaded = loadConfigFile(configPath, withoutPassphrases(configPath));
  if (!loaded.ok) {
    const lines = loaded.faults.map((fault) => `carpd: ${configPath}: ${describeFault(fault)}\n`);
    return { stdout: '', stderr: lines.join(''), exitCode: EXIT_USAGE };
  }
  const { instances, control } = loaded.config;
  const known = instances.map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const text = `no instance is named "${plainText(unknown)}"; there are: ${known.join(', ')}`;
    return complaint(text, EXIT_USAGE);
  }
  const wanted = instances.filter(({ name }) => names.length === 0 || names.includes(name));
  const masters = control.socket === undefined ? [] : await mastersAt(control.socket);
  const held = wanted.filter((config) => masters.some((report) => isOf(report, config)));
  const said: string[] = [];
  let outcomes: readonly Release[];
  try {
    outcomes = await releaseInstances({
      instances: wanted.filter((config) => !held.includes(config)),
      env: process.env,
      onLine: (name, line) => void said.push(`${name}: ${plainText(line)}\n`),
    });
  } catch (error) {
    return complaint(`release: ${messageOf(error)}`, EXIT_FAILED);
  }
  const told = outcomes.filter(({ outcome }) => outcome === 'released' || !quiet);
  const done = told.filter(({ outcome }) => outcome !== 'failed').map(line);
  const failed = [...held.map(heldLine), ...outcomes.filter(isFailed).map(line)];
  return {
    stdout: [...said, ...done].join(''),
    stderr: failed.map((text) => `carpd: ${text}`).join(''),
    exitCode: failed.length === 0 ? 0 : EXIT_FAILED,
  };
}

/** The instances that a running daemon may hold the address of; none where there is no daemon. */
async function mastersAt(socketPath: string): Promise<readonly InstanceReport[]> {
  const answer = await askDaemon(socketPath, '/v1/status', { withinMs: ANSWER_MS_MAX });
  if (!answer.ok || answer.value.status !== HTTP_OK) return [];
  try {
    const { instances } = JSON.parse(answer.value.text) as StatusReport;
    return instances.filter(({ state, leaving }) => state === 'MASTER' || leaving !== null);
  } catch {
    return [];
  }
}

/** By the address and not the name: the configuration may have changed since the daemon read it. */
function isOf(report: InstanceReport, { interfaceName, address }: InstanceConfig): boolean {
  const [ip] = report.vip.split('/');
  return report.interface === interfaceName && ip === formatIpv4(address.ip);
}

function isFailed({ outcome }: Release): boolean {
  return outcome === 'failed';
}

function line({ name, message }: Release): string {
  return `${name}: ${plainText(message)}\n`;
}

function heldLine({ name }: InstanceConfig): string {
  const remedy = `stop it, or give the address to a peer: carpd handover ${name}`;
  return `${name}: the carpd that runs here is its master; ${remedy}\n`;
}
