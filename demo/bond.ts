// The demo on bonds: plays the incident with stock ucarp and with carpd where there are bonds, in
// a qemu machine if this kernel has none, and shows both runs side by side.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildGuestTree, guestPath } from '../test/bond/guest-tree.ts';
import { runInGuest } from '../test/bond/guest.ts';
import { hasBonding } from '../test/bond/native.ts';
import { makeKernel, qemuMissing } from '../test/bond/qemu.ts';
import { isKept, type Incident } from './incident.ts';
import { incidentSvg } from './incident-svg.ts';
import { incidentText } from './incident-text.ts';
import type { Paint } from './timeline.ts';

const CHECKOUT = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
const PLAY = join(CHECKOUT, 'demo/incident-play.ts');
const LIMIT_MS = 300_000;

/** Where the demo speaks to. */
export interface BondDemo {
  readonly say: (text: string) => void;
  readonly paint: Paint;
  /** Where to put the picture, if one is wanted. */
  readonly svgFile: string | undefined;
}

/** Plays, shows and judges; yields the exit code: 0 if carpd alone left the address in peace. */
export async function showIncident({ say, paint, svgFile }: BondDemo): Promise<number> {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    // An orderly exit: its handlers kill the machine and remove what it left.
    process.once(signal, () => process.exit(128 + constants.signals[signal]));
  }
  const native = await hasBonding();
  const words = [join(CHECKOUT, 'test/bond/install.sh'), ...(native ? ['native'] : [])];
  if (spawnSync('sh', words, { stdio: 'inherit' }).status !== 0) return 1;
  const faults = native ? [] : qemuMissing();
  faults.forEach(say);
  if (faults.length > 0 || !(native || makeKernel())) return 1;
  const where = native ? 'this kernel has bonding' : 'in a qemu machine, slowly';
  say(`${paint('bold', 'carpd demo')}: the incident on real LACP bonds (${where}).`);
  say('A serves the address. B boots onto a bond that has carrier and LACP; its switch port does');
  say(
    'not forward for 10 s. The same script with stock ucarp and with carpd on B: half a minute.\n',
  );
  const runs = await play(native, say);
  if (runs === undefined) return 1;
  say('');
  incidentText(runs, paint).forEach(say);
  if (svgFile !== undefined) {
    writeFileSync(svgFile, incidentSvg(runs));
    say(`\nThe same as a picture: ${svgFile}`);
  }
  return conclude(runs, { say, paint });
}

async function play(native: boolean, say: (text: string) => void): Promise<Incident[] | undefined> {
  const job = mkdtempSync(join(tmpdir(), 'carpd-demo-'));
  const remove = (): void => rmSync(job, { recursive: true, force: true });
  process.once('exit', remove);
  try {
    const file = join(job, 'incident.json');
    const done = native ? playHere(file) : await playInGuest(job, file, say);
    return done ? (JSON.parse(readFileSync(file, 'utf8')) as Incident[]) : undefined;
  } finally {
    process.removeListener('exit', remove);
    remove();
  }
}

function playHere(file: string): boolean {
  const words = ['--import', 'tsx', PLAY, file];
  return spawnSync(process.execPath, words, { stdio: 'inherit', cwd: CHECKOUT }).status === 0;
}

async function playInGuest(
  job: string,
  file: string,
  say: (text: string) => void,
): Promise<boolean> {
  const tree = join(job, 'tree');
  await buildGuestTree(CHECKOUT, tree);
  const outcome = await runInGuest({
    command: [process.execPath, guestPath(CHECKOUT, tree, PLAY), file],
    checkout: CHECKOUT,
    visible: [tree],
    jobDirectory: job,
    timeoutMs: LIMIT_MS,
    onOutput: (text) =>
      text
        .split('\n')
        .filter(Boolean)
        .forEach((line) => say(`  ${line}`)),
  });
  if (outcome.kind === 'exited') return outcome.exitCode === 0;
  say(
    `The machine ${outcome.kind === 'timed-out' ? 'took too long' : 'died'}:\n${outcome.console}`,
  );
  return false;
}

function conclude(runs: readonly Incident[], { say, paint }: Omit<BondDemo, 'svgFile'>): number {
  const kept = (program: Incident['program']): boolean =>
    runs.some((run) => run.program === program && isKept(run));
  say(`\nB runs stock ucarp: A ${kept('ucarp') ? 'kept' : 'lost'} the address.`);
  say(`B runs carpd: A ${kept('carpd') ? 'kept' : 'lost'} the address.\n`);
  const passed = kept('carpd') && !kept('ucarp');
  const verdict = passed
    ? paint('green', 'PASSED: stock ucarp took the address over a dead link, carpd did not.')
    : paint('red', 'FAILED: that is not what the demo is meant to show.');
  say(verdict);
  return passed ? 0 : 1;
}
