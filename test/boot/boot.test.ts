// The incident that carpd exists for, as a real boot: systemd, the distribution's own network
// configuration, a real LACP bond, a switch that forms its port channel and passes nothing for a
// while, and a healthy peer with stock ucarp. Needs root, debootstrap and User Mode Linux.
import { equal, match, notEqual, ok } from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { bootSkipReason, makeDisk, type Program } from './disks.ts';
import { names, Scene, story } from './scene.ts';

/** How long nothing passes after the node is up: several dead intervals. */
const DARK_MS = 15_000;
/** Longer than a dead interval: who stays alone for so long has nothing left to fear. */
const STEADY_MS = 6_000;
const PREEMPT = `sed -i 's/^    peers:/    preempt: true\\n&/' /etc/carpd/carpd.yaml`;
const MAIN_PID = 'systemctl show --property=MainPID --value carpd';
const VIP_OFF = `
for try in $(seq 200); do
  ip -oneline addr show dev bond0 | grep -qw 10.9.0.100/32 || exit 0
  sleep 0.05
done
echo 'the address is still there'; exit 1`;

const folder = mkdtempSync(join('/var/tmp', 'carpd-boot-disks-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const options = { skip: bootSkipReason(), concurrency: true };

describe('a node boots onto an LACP bond that passes nothing', options, () => {
  test('stock ucarp: two masters, and the healthy peer gives up', async (t) => {
    const scene = await Scene.boot(t, await disk('ucarp'));
    await scene.becomesHeldBy('node peer');
    await sleep(DARK_MS);
    equal(await scene.holders(), 'node peer', 'two masters as long as nothing passes');
    await scene.peerWas('BACKUP', 'MASTER');

    await scene.forward();
    await scene.becomesHeldBy('node');
    t.diagnostic(`node: ${story(await scene.ucarp('networking'))}`);
    t.diagnostic(`peer: ${story(await scene.peer())}`);
    equal(names(await scene.ucarp('networking')), 'BACKUP MASTER');
    await scene.peerWas('BACKUP', 'MASTER', 'BACKUP');
  });

  test('carpd: held, the peer serves throughout; then what systemctl can do', async (t) => {
    const scene = await Scene.boot(t, await disk('carpd'));
    const { machine } = scene;
    const step = async (name: string, run: () => Promise<void>): Promise<void> => {
      await t.test(name, run);
    };

    await step('held, and the journal and systemctl say why', async () => {
      await scene.statusBecomes(/^db HELD \(no-frames\)$/);
      await scene.staysHeldBy('peer', DARK_MS, /^db HELD \(no-frames\)$/);
      match(await machine.sh('systemctl status carpd'), /Status: "db HELD \(no-frames\)"/);
      match(await machine.sh('journalctl --unit=carpd'), /event=gate-closed reasons=no-frames\]/);
      match(await machine.sh('carpd explain db'), /carrier proved, lacp proved, frames MISSING/);
    });

    await step('a backup when frames pass: without preempt the peer keeps serving', async () => {
      await scene.forward();
      await scene.statusBecomes(/^db BACKUP$/);
      await scene.staysHeldBy('peer', STEADY_MS, /^db BACKUP$/);
      t.diagnostic(`peer: ${story(await scene.peer())}`);
      await scene.peerWas('BACKUP', 'MASTER');
    });

    await step('reload: preempt is in force, in the same process', async () => {
      const pid = await machine.sh(MAIN_PID);
      await machine.sh(`${PREEMPT}; systemctl reload carpd`);
      await scene.becomesHeldBy('node');
      await scene.statusBecomes(/^db MASTER$/);
      equal(await machine.sh(MAIN_PID), pid);
      await scene.peerWas('BACKUP', 'MASTER', 'BACKUP');
    });

    await step('restart: handed over, and taken back', async () => {
      const pid = await machine.sh(MAIN_PID);
      await machine.sh('systemctl restart carpd');
      await scene.becomesHeldBy('node');
      await scene.statusBecomes(/^db MASTER$/);
      notEqual(await machine.sh(MAIN_PID), pid);
      await scene.peerWas('BACKUP', 'MASTER', 'BACKUP', 'MASTER', 'BACKUP');
    });

    await step('SIGKILL: the address goes, the service comes back', async () => {
      await machine.sh(`kill -KILL "$(${MAIN_PID})"; ${VIP_OFF}`);
      await scene.becomesHeldBy('node');
      await scene.statusBecomes(/^db MASTER$/);
      equal(await machine.sh('systemctl show --property=NRestarts --value carpd'), '1');
    });

    await step('stop: handed over to the peer', async () => {
      await machine.sh('systemctl stop carpd');
      await scene.becomesHeldBy('peer');
      equal(await machine.sh('systemctl show --property=Result --value carpd'), 'success');
    });

    await step('reboot: handed over on the way down, held again on the way up', async () => {
      await machine.sh('systemctl start carpd');
      await scene.becomesHeldBy('node');
      await machine.reboot();
      await scene.linkLooksUp();
      equal(
        (await scene.ucarp('lab-peer', -1)).at(-1)?.to,
        'MASTER',
        'at the end of the last boot',
      );
      await scene.statusBecomes(/^db HELD \(no-frames\)$/);
      await scene.staysHeldBy('peer', STEADY_MS, /^db HELD \(no-frames\)$/);
      await scene.peerWas('BACKUP', 'MASTER');
      await scene.forward();
      await scene.becomesHeldBy('node');
      await scene.peerWas('BACKUP', 'MASTER', 'BACKUP');
    });
  });
});

/** Makes a disk that goes when the tests are over. */
async function disk(program: Program): Promise<string> {
  ok(folder !== '', 'a folder for the disks');
  return makeDisk(program, folder);
}
