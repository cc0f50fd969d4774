// The incident that carpd exists for, as a real boot: systemd, the distribution's own network
// configuration, a real LACP bond, a switch that forms its port channel and passes nothing for a
// while, and a healthy peer with stock ucarp. Needs root, debootstrap and qemu.
import { doesNotMatch, equal, match, notEqual } from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { after, describe, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { bootSkipReason, makeDisk, type Program } from './disks.ts';
import { names, Scene, story } from './scene.ts';

/** How long nothing passes after the node is up: several dead intervals. */
const DARK_MS = 15_000;
/** Longer than a dead interval: who stays alone for so long has nothing left to fear. */
const STEADY_MS = 6_000;
const HELD = /^db HELD \(no-frames\)$/;
const BACKUP = /^db BACKUP$/;
const MASTER = /^db MASTER$/;
const VIP_GOES = '/usr/local/lib/lab/vip-goes';
const PREEMPT = `sed -i 's/^    peers:/    preempt: true\\n&/' /etc/carpd/carpd.yaml`;

const folder = mkdtempSync('/var/tmp/carpd-boot-disks-');
after(() => rmSync(folder, { recursive: true, force: true }));

describe(
  'a node boots onto an LACP bond that passes nothing',
  { skip: bootSkipReason(), concurrency: true },
  () => {
    test('stock ucarp: two masters, and the healthy peer gives up', async (t) => {
      await onMachine(t, 'ucarp', takesTheAddress);
    });

    test('carpd: the peer serves throughout, and systemctl does what it says', async (t) => {
      await onMachine(t, 'carpd', async (scene) => {
        await isHeld(scene);
        await becomesBackup(scene, t);
        await reloads(scene);
        await restarts(scene);
        await isKilled(scene, t);
        await stops(scene);
        await reboots(scene, t);
      });
    });
  },
);

/** Boots a machine for a test, and tells on a failure what its journal has. */
async function onMachine(
  t: TestContext,
  program: Program,
  run: (scene: Scene, t: TestContext) => Promise<void>,
): Promise<void> {
  const scene = await Scene.boot(t, await makeDisk(program, folder));
  try {
    await run(scene, t);
  } catch (error) {
    const units = '--unit=carpd --unit=networking --unit=lab-peer';
    const journal = `journalctl --boot --lines=60 --output=short-monotonic ${units}`;
    t.diagnostic((await scene.machine.run(journal)).output);
    throw error;
  }
}

async function takesTheAddress(scene: Scene, t: TestContext): Promise<void> {
  await scene.becomesHeldBy('node peer');
  await scene.staysHeldBy('node peer', DARK_MS);
  equal(names(await scene.ucarp('lab-peer')), 'BACKUP MASTER');

  await scene.forward();
  await scene.becomesHeldBy('node');
  await sleep(STEADY_MS);
  equal(await scene.holders(), 'node');
  t.diagnostic(`node, stock ucarp: ${story(await scene.ucarp('networking'))}`);
  t.diagnostic(`peer: ${story(await scene.ucarp('lab-peer'))}`);
  equal(names(await scene.ucarp('networking')), 'BACKUP MASTER');
  equal(names(await scene.ucarp('lab-peer')), 'BACKUP MASTER BACKUP');
}

async function isHeld(scene: Scene): Promise<void> {
  const { machine } = scene;
  await scene.statusBecomes(HELD);
  await scene.staysHeldBy('peer', DARK_MS, HELD);
  match(await machine.sh('systemctl status carpd'), /Status: "db HELD \(no-frames\)"/);
  const journal = await machine.sh('journalctl --boot --unit=carpd');
  match(journal, /event=gate-closed interface=\S+ vhid=\d+ vip=[\d.]+ reasons=no-frames\]/);
  doesNotMatch(journal, /to=MASTER/);
  match(await machine.sh('carpd explain db'), /carrier proved, lacp proved, frames MISSING/);
}

/** Without preempt the peer goes on serving when frames pass. */
async function becomesBackup(scene: Scene, t: TestContext): Promise<void> {
  await scene.forward();
  await scene.statusBecomes(BACKUP);
  await scene.staysHeldBy('peer', STEADY_MS, BACKUP);
  t.diagnostic(`peer, from boot to forwarding and on: ${story(await scene.ucarp('lab-peer'))}`);
  equal(names(await scene.ucarp('lab-peer')), 'BACKUP MASTER');
}

/** From here on the node preempts the peer, whose skew is larger. */
async function reloads(scene: Scene): Promise<void> {
  const pid = await scene.mainPid();
  await scene.machine.sh(`${PREEMPT}; systemctl reload carpd`);
  await scene.becomesHeldBy('node');
  await scene.statusBecomes(MASTER);
  equal(await scene.mainPid(), pid, 'a reload keeps the process');
  equal(names(await scene.ucarp('lab-peer')), 'BACKUP MASTER BACKUP');
}

/** The address is handed over, and taken back. */
async function restarts(scene: Scene): Promise<void> {
  const pid = await scene.mainPid();
  await scene.machine.sh('systemctl restart carpd');
  await scene.becomesHeldBy('node');
  await scene.statusBecomes(MASTER);
  notEqual(await scene.mainPid(), pid);
  equal(names(await scene.ucarp('lab-peer')), 'BACKUP MASTER BACKUP MASTER BACKUP');
}

/** The address goes at once, and the service comes back. */
async function isKilled(scene: Scene, t: TestContext): Promise<void> {
  const pid = await scene.mainPid();
  t.diagnostic(
    `killed: the address is ${await scene.machine.sh(`kill -KILL ${pid}; ${VIP_GOES}`)}`,
  );
  await scene.becomesHeldBy('node');
  await scene.statusBecomes(MASTER);
  equal(await scene.machine.sh('systemctl show --property=NRestarts --value carpd'), '1');
}

async function stops(scene: Scene): Promise<void> {
  await scene.machine.sh('systemctl stop carpd');
  await scene.becomesHeldBy('peer');
  equal(await scene.machine.sh('systemctl show --property=Result --value carpd'), 'success');
}

/** Handed over on the way down, held again on the way up, and preempts when frames pass. */
async function reboots(scene: Scene, t: TestContext): Promise<void> {
  await scene.machine.sh('systemctl start carpd');
  await scene.becomesHeldBy('node');
  await scene.machine.reboot();
  await scene.linkLooksUp();
  equal((await scene.ucarp('lab-peer', -1)).at(-1)?.to, 'MASTER', 'the peer before the reboot');
  await scene.statusBecomes(HELD);
  await scene.staysHeldBy('peer', STEADY_MS, HELD);
  equal(names(await scene.ucarp('lab-peer')), 'BACKUP MASTER');
  await scene.forward();
  await scene.becomesHeldBy('node');
  t.diagnostic(`peer, after the reboot: ${story(await scene.ucarp('lab-peer'))}`);
  equal(names(await scene.ucarp('lab-peer')), 'BACKUP MASTER BACKUP');
}
