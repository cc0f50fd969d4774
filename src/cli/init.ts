// `carpd init`: from three answers to a valid configuration and a passphrase file, and what to do
// next. It never overwrites what somebody else has written.
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { networkInterfaces } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { messageOf } from '../base/errors.ts';
import { formatIpv4, parseIpv4 } from '../base/addresses.ts';
import { PASSPHRASE_BYTES_MAX } from '../config/passphrase.ts';
import { describeFault, loadConfig } from '../config/load.ts';
import { readFileWithMode } from '../config/read-file.ts';
import { findUser } from '../serving/unix-accounts.ts';
import { reportText } from '../doctor/report.ts';
import { CONFIG_PATH_DEFAULT } from './config-path.ts';
import type { InitCommand } from './commands.ts';
import type { CommandOutcome } from './check.ts';
import { examineHost } from './doctor.ts';
import {
  ask,
  check,
  commandForPeer,
  configurationText,
  passphraseBeside,
  plan,
  QUESTIONS,
  type Attachment,
  type GivenAnswers,
  type Paths,
  type Plan,
} from './init-plan.ts';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const UNIT = 'carpd.service';
/** Whom the units run carpd as; the packages make it. */
const SERVICE_USER = 'carpd';

/** Asks for what is not given if there is a terminal, writes, and says what comes next. */
export async function init(
  command: InitCommand,
  terminal: { readonly input: NodeJS.ReadStream; readonly output: NodeJS.WriteStream },
): Promise<CommandOutcome> {
  const { force } = command;
  const configPath = resolve(command.configPath);
  if (fs.existsSync(configPath) && !force) {
    const remedy = 'add an instance to it by hand, or name another file, or give --force';
    return failure(EXIT_FAILED, `${configPath} is there already; ${remedy}`);
  }
  const attached = attachments();
  const isTerminal = terminal.input.isTTY && terminal.output.isTTY;
  const answers = isTerminal ? await interview(command.given, attached, terminal) : command.given;
  const made = plan(answers, await withName(answers.interface, attached));
  if (!made.ok) return failure(EXIT_USAGE, `init: ${made.reason}; see carpd init --help`);
  const beside = passphraseBeside(configPath, made.value.name);
  const passphrasePath = resolve(command.passphrasePath ?? beside);
  try {
    const written = write(made.value, { configPath, passphrasePath });
    if (written.exitCode !== 0 || !command.examine) return written;
    return { ...written, stdout: `${written.stdout}${await obstacles(configPath)}` };
  } catch (error) {
    return failure(EXIT_FAILED, `init: ${messageOf(error)}`);
  }
}

/** The interface of `name` by that name as well, where it is an alternative one. */
async function withName(
  name: string | undefined,
  attached: readonly Attachment[],
): Promise<readonly Attachment[]> {
  if (name === undefined || attached.some((one) => one.name === name)) return attached;
  try {
    // Loaded late: a configuration can be written where the addon was never built.
    const { kernelName } = await import('../linux/links/kernel-name.ts');
    const real = await kernelName(name);
    return attached.flatMap((one) => (one.name === real ? [{ ...one, name }, one] : [one]));
  } catch {
    return attached;
  }
}

/** What the doctor finds without listening; that all is well is not worth a word. */
async function obstacles(configPath: string): Promise<string> {
  const findings = await examineHost(configPath);
  const bad = findings.filter(({ grade }) => grade === 'failure' || grade === 'warning');
  return bad.length === 0 ? '' : `\nIn the way on this host:\n${reportText(bad, false)}`;
}

function write(made: Plan, { configPath, passphrasePath }: Paths): CommandOutcome {
  const text = configurationText(made, passphrasePath);
  fs.mkdirSync(dirname(configPath), { recursive: true, mode: 0o755 });
  const isNew = writePassphrase(passphrasePath);
  const result = loadConfig(text, { readFile: readFileWithMode });
  if (!result.ok) {
    if (isNew) fs.unlinkSync(passphrasePath);
    return failure(EXIT_USAGE, `init: ${result.faults.map(describeFault).join('; ')}`);
  }
  const old = `${configPath}.old`;
  const replaced = fs.existsSync(configPath);
  if (replaced) fs.renameSync(configPath, old);
  fs.writeFileSync(configPath, text, { mode: 0o644, flag: 'wx' });
  const lines = [
    `wrote ${configPath}${replaced ? `; the one before is ${old}` : ''}`,
    isNew
      ? `wrote ${passphrasePath} with a new passphrase`
      : `kept ${passphrasePath}: its passphrase is used`,
    ...giveToService(passphrasePath),
    ...nextSteps(made, { configPath, passphrasePath }),
  ];
  const stderr = result.warnings.map((one) => `carpd: warning: ${describeFault(one)}\n`).join('');
  return { stdout: `${lines.join('\n')}\n`, stderr, exitCode: 0 };
}

/** A new passphrase of full length, unless there is a file; says whether it wrote one. */
function writePassphrase(path: string): boolean {
  const passphrase = randomBytes(PASSPHRASE_BYTES_MAX).toString('base64url');
  try {
    const text = `${passphrase.slice(0, PASSPHRASE_BYTES_MAX)}\n`;
    fs.writeFileSync(path, text, { mode: 0o600, flag: 'wx' });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** The unit's daemon is not root: a file that only root can read is given to its user. */
function giveToService(path: string): readonly string[] {
  const { uid, mode } = fs.statSync(path);
  const isRoots = process.geteuid?.() === 0 && uid === 0 && (mode & 0o077) === 0;
  const owner = isRoots ? findUser(SERVICE_USER) : undefined;
  if (owner === undefined) return [];
  fs.chownSync(path, owner.uid, owner.gid);
  return [`gave ${path} to ${SERVICE_USER}, the user of the daemon`];
}

function nextSteps(made: Plan, paths: Paths): readonly string[] {
  const { configPath, passphrasePath } = paths;
  const elsewhere = made.peers.flatMap((peer) => {
    const to = formatIpv4(peer);
    return [
      '',
      `On ${to}, with the same passphrase:`,
      `  ssh ${to} mkdir -p ${dirname(passphrasePath)}`,
      `  scp -p ${passphrasePath} ${to}:${passphrasePath}`,
      `  ssh ${to} ${commandForPeer(made, peer, paths)}`,
    ];
  });
  const byUnit = isUnitInstalled() && configPath === CONFIG_PATH_DEFAULT;
  return [
    '',
    'On this host:',
    `  carpd doctor --config ${configPath}`,
    byUnit ? '  systemctl enable --now carpd' : `  carpd run --config ${configPath}`,
    ...elsewhere,
  ];
}

function isUnitInstalled(): boolean {
  if (!fs.existsSync('/run/systemd/system')) return false;
  const folders = ['/etc/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system'];
  return folders.some((folder) => fs.existsSync(join(folder, UNIT)));
}

/** Asks each question until its answer is good; ends with what was given at the end of input. */
async function interview(
  given: GivenAnswers,
  attached: readonly Attachment[],
  streams: { readonly input: NodeJS.ReadStream; readonly output: NodeJS.WriteStream },
): Promise<GivenAnswers> {
  const terminal = createInterface(streams);
  // What was typed ahead waits in the iterator; a question that is asked later would miss it.
  const lines = terminal[Symbol.asyncIterator]();
  let answers = given;
  for (const question of QUESTIONS) {
    while (answers[question] === undefined) {
      const [text, usual] = ask(question, attached);
      terminal.setPrompt(usual === '' ? `${text}: ` : `${text} [${usual}]: `);
      terminal.prompt();
      const line = await lines.next();
      if (line.done === true) return answers;
      const typed = line.value.trim() || usual;
      const checked = check(question, typed, attached);
      if (checked.ok) answers = { ...answers, [question]: typed };
      else streams.output.write(`${checked.reason}\n`);
    }
  }
  terminal.close();
  return answers;
}

/** The interfaces with an IPv4 address, but for loopback. */
function attachments(): readonly Attachment[] {
  const defaultName = defaultInterface();
  return Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) => {
    const first = addresses.find(({ family, internal }) => family === 'IPv4' && !internal);
    const address = first === undefined ? undefined : parseIpv4(first.address);
    if (address === undefined) return [];
    const prefixLength = Number(first?.cidr?.split('/')[1] ?? 32);
    return [{ name, address, prefixLength, isDefault: name === defaultName }];
  });
}

/** The interface of the default route (proc(5), /proc/net/route: destination and mask 0). */
function defaultInterface(): string | undefined {
  try {
    const [, ...routes] = fs.readFileSync('/proc/net/route', 'utf8').split('\n');
    const fields = routes.map((line) => line.split('\t'));
    return fields.find((route) => route[1] === '00000000' && route[7] === '00000000')?.[0];
  } catch {
    return undefined;
  }
}

function failure(exitCode: number, message: string): CommandOutcome {
  return { stdout: '', stderr: `carpd: ${message}\n`, exitCode };
}
