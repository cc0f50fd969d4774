// How long a master keeps the VIP after a better master was heard.
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Capture } from '../lab/capture.ts';
import type { Child } from '../lab/child.ts';
import type { Host } from '../lab/host.ts';
import { Lab } from '../lab/namespaces.ts';
import type { Peer } from '../lab/peer.ts';
import { GROUP, startProgram, wallNowMs, type Program } from './pair.ts';
import type { Progress, Row } from './report.ts';

const REPOSITORY = fileURLToPath(new URL('..', import.meta.url));
const INJECTOR = fileURLToPath(new URL('./inject.ts', import.meta.url));

/** Worse than the injected master's 0. */
const ADVSKEW = 50;
const INTERVAL_MS = 1_000 + (ADVSKEW * 1_000) / 256;
const CARPD_TARGET_MS = 20;
const WAIT_MS = 15_000;
/** After the log said that the master stepped down: until its last advert has been captured. */
const CAPTURED_MS = 100;

/**
 * A better advert at a random phase, to the farewell advert of the master that hears it, which is
 * the last one it sends, and to the transition in its log.
 */
export async function benchStepDown(
  program: Program,
  runs: number,
  progress: Progress,
): Promise<Row[]> {
  const farewells: number[] = [];
  const logged: number[] = [];
  const lab = await Lab.create();
  try {
    const host = await lab.host('master', '10.77.0.1/24');
    const rivalHost = await lab.host('rival', '10.77.0.2/24');
    const rival = startRival(rivalHost);
    await rival.line(/^ready$/, WAIT_MS);
    const peer = startProgram(program, host, { advskew: ADVSKEW, gate: 'off' });
    for (let run = 1; run <= runs; run += 1) {
      const { farewellMs, loggedMs } = await stepDown(lab, peer, rivalHost, rival);
      farewells.push(farewellMs);
      logged.push(loggedMs);
      progress(`${program} steps down, run ${run} of ${runs}`, farewellMs);
    }
  } finally {
    lab.close();
  }
  const target = program === 'carpd' ? { targetMs: CARPD_TARGET_MS } : {};
  return [
    { label: `${program}: farewell advert`, values: farewells, ...target },
    { label: `${program}: transition in its log`, values: logged, ...target },
  ];
}

interface StepDown {
  readonly farewellMs: number;
  readonly loggedMs: number;
}

async function stepDown(lab: Lab, peer: Peer, rivalHost: Host, rival: Child): Promise<StepDown> {
  const source = peer.host.address;
  const capture = await Capture.start(lab.switch);
  await peer.waitFor('MASTER', WAIT_MS);
  await capture.advert(1, { source, afterMs: wallNowMs() }, WAIT_MS);
  await sleep(Math.random() * INTERVAL_MS);
  const startMs = wallNowMs();
  rival.signal('SIGUSR1');
  const better = { source: rivalHost.address, afterMs: startMs };
  const heard = await capture.advert(1, better, WAIT_MS);
  const transition = await peer.nextTransition('BACKUP', startMs, WAIT_MS);
  await sleep(CAPTURED_MS);
  const last = capture.adverts({ source, afterMs: heard.atMs }).at(-1);
  await capture.stop();
  // The master is one again at once, and not after its dead interval, when the rival bows out.
  rival.signal('SIGUSR2');
  if (last === undefined) throw new Error(`${peer.kind} sent no farewell advert`);
  return { farewellMs: last.atMs - heard.atMs, loggedMs: transition.atMs - heard.atMs };
}

function startRival(host: Host): Child {
  const { vhid, vip, password } = GROUP;
  const node = [process.execPath, '--import', 'tsx', INJECTOR];
  const words = [host.interface, host.address, host.mac, String(vhid), vip, password];
  return host.spawn([...node, ...words], { label: 'the injected master', cwd: REPOSITORY });
}
