// `carpd release`: virtual IPs off, where no daemon lives that holds them.
import { messageOf } from '../base/errors.ts';
import { formatIpv4 } from '../base/addresses.ts';
import { describeFault, loadConfigFile } from '../config/load.ts';
import { withoutPassphrases } from '../config/read-file.ts';
import { runtimeDirectory } from '../config/service-environment.ts';
import { readReleaseRecords, type ReleaseRecord } from '../state/release-records.ts';
import { release as releaseDuties, type Release } from '../release/release.ts';
import type { InstanceReport, StatusReport } from '../report/report.ts';
import { plainText } from '../base/text.ts';
import type { ReleaseCommand } from './commands.ts';
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
  const faults = (loaded.ok ? [] : loaded.faults).map(
    (fault) => `${configPath}: ${describeFault(fault)}\n`,
  );
  const configured = loaded.ok ? loaded.config.instances : [];
  const records = [
    ...configured,
    ...onRecord().filter((record) => !configured.some(isSame(record))),
  ];
  const known = records.map(({ name }) => name);
  const unknown = loaded.ok ? names.find((name) => !known.includes(name)) : undefined;
  if (unknown !== undefined) {
    const text = `no instance is named "${plainText(unknown)}"; there are: ${known.join(', ')}`;
    return complaint(text, EXIT_USAGE);
  }
  const wanted = records.filter(({ name }) => names.length === 0 || names.includes(name));
  const masters = await mastersAt(loaded.ok ? loaded.config.control.socket : undefined);
  const held = wanted.filter((record) => masters.some((report) => isOf(report, record)));
  const said: string[] = [];
  let outcomes: readonly Release[];
  try {
    outcomes = await releaseDuties({
      records: wanted.filter((record) => !held.includes(record)),
      env: process.env,
      onLine: (name, text) => void said.push(`${name}: ${plainText(text)}\n`),
    });
  } catch (error) {
    return complaint(`release: ${messageOf(error)}`, EXIT_FAILED);
  }
  const shown = outcomes.filter(({ outcome }) => outcome === 'released' || !quiet);
  const done = shown.filter((one) => !isFailed(one)).map(line);
  const failed = [...held.map(heldLine), ...outcomes.filter(isFailed).map(line)];
  const exitCode = faults.length > 0 ? EXIT_USAGE : failed.length > 0 ? EXIT_FAILED : 0;
  return {
    stdout: [...said, ...done].join(''),
    stderr: [...faults, ...failed].map((text) => `carpd: ${text}`).join(''),
    exitCode,
  };
}

/**
 * What the daemon of this unit was last told to serve, which the file may say no more. Not for root
 * in a shell: who may write the record is the user of the daemon.
 */
function onRecord(): readonly ReleaseRecord[] {
  const directory = runtimeDirectory(process.env);
  return directory === undefined ? [] : readReleaseRecords(directory);
}

function isSame(record: ReleaseRecord): (other: ReleaseRecord) => boolean {
  return (other) =>
    other.interfaceName === record.interfaceName && other.address.ip === record.address.ip;
}

/** The instances that a running daemon may hold the address of; none where there is no daemon. */
async function mastersAt(socketPath: string | undefined): Promise<readonly InstanceReport[]> {
  if (socketPath === undefined) return [];
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
function isOf(report: InstanceReport, { interfaceName, address }: ReleaseRecord): boolean {
  const [ip] = report.vip.split('/');
  return report.interface === interfaceName && ip === formatIpv4(address.ip);
}

function isFailed({ outcome }: Release): boolean {
  return outcome === 'failed';
}

function line({ name, message }: Release): string {
  return `${name}: ${plainText(message)}\n`;
}

function heldLine({ name }: ReleaseRecord): string {
  const remedy = `stop it, or give the address to a peer: carpd handover ${name}`;
  return `${name}: the carpd that runs here is its master; ${remedy}\n`;
}
