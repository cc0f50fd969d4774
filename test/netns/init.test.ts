// The first contact: `carpd init` on a host, by its options and by questions on a terminal, and a
// daemon that runs with what it wrote. Needs root and namespaces.
import { equal, match, notEqual } from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Child } from '../../lab/child.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';

const CARPD = [process.execPath, fileURLToPath(new URL('../../dist/main.js', import.meta.url))];
const VIP = '10.77.0.100';
const WITHIN_MS = 20_000;
const skip = await labSkipReason();

describe('carpd init', { skip, concurrency: true }, () => {
  test('writes what carpd runs with, and tells what to do on the other node', async (t) => {
    const { host, file, pass } = await place(t);
    const peers = '10.77.0.2';
    const child = await init(host, file, '--interface', 'eth0', '--address', VIP, '--peers', peers);
    equal((await child.ended(WITHIN_MS)).code, 0, child.tail());
    equal(statSync(pass).mode & 0o777, 0o600);
    match(readFileSync(pass, 'utf8'), /^[\w-]{19}\n$/);
    match(child.tail(), /carpd doctor --config/);
    match(
      child.tail(),
      /ssh 10\.77\.0\.2 carpd init --interface eth0 .* --peers \S+\.1 --config \S+\/carpd\.yaml$/m,
    );
    const checked = await host.exec([...CARPD, 'check', '--config', file]);
    match(checked, /address: 10\.77\.0\.100\/24/);
    match(checked, /vhid: 100/);
  });

  test('leaves alone what is there, and keeps the passphrase of another node', async (t) => {
    const { host, file, pass } = await place(t);
    const answers = ['--interface', 'eth0', '--address', VIP];
    writeFileSync(pass, 'of the other node\n', { mode: 0o600 });
    equal((await (await init(host, file, ...answers)).ended(WITHIN_MS)).code, 0);
    equal(readFileSync(pass, 'utf8'), 'of the other node\n');
    const before = readFileSync(file, 'utf8');
    const again = await init(host, file, ...answers, '--vhid', '9');
    equal((await again.ended(WITHIN_MS)).code, 1);
    match(again.tail(), /is there already; .*--force/);
    equal(readFileSync(file, 'utf8'), before);
    const forced = await init(host, file, ...answers, '--vhid', '9', '--force');
    equal((await forced.ended(WITHIN_MS)).code, 0, forced.tail());
    equal(readFileSync(`${file}.old`, 'utf8'), before);
    notEqual(readFileSync(file, 'utf8'), before);
  });

  test('writes nothing where an answer is missing or wrong', async (t) => {
    const { host, file, pass } = await place(t);
    const missing = await init(host, file, '--interface', 'eth0');
    equal((await missing.ended(WITHIN_MS)).code, 2);
    match(missing.tail(), /--address is needed where nobody can be asked/);
    const wrong = await init(host, file, '--interface', 'eth0', '--address', '10.77.0.1/24');
    equal((await wrong.ended(WITHIN_MS)).code, 2);
    match(wrong.tail(), /the address of eth0 itself/);
    const name = ['--name', 'a/b', '--passphrase-file', pass];
    const faulty = await init(host, file, '--interface', 'eth0', '--address', VIP, ...name);
    equal((await faulty.ended(WITHIN_MS)).code, 2, faulty.tail());
    equal(existsSync(file), false);
    equal(existsSync(pass), false, 'a passphrase that nothing uses is taken back');
  });

  test('asks on a terminal, again where an answer is wrong', async (t) => {
    const { lab, host, file } = await place(t);
    const answers = join(lab.directory, 'answers');
    writeFileSync(answers, `\nnonsense\n${VIP}\n10.77.0.2\n`);
    const command = [...CARPD, 'init', '--config', file].join(' ');
    // `script` gives it a terminal, and types what is in the file.
    const shell = `script -qec '${command}' /dev/null < ${answers}`;
    const child = host.spawn(['sh', '-c', shell], { label: 'carpd init on a terminal' });
    equal((await child.ended(WITHIN_MS)).code, 0, child.tail());
    match(child.tail(), /Interface of the segment \(there are: eth0\) \[eth0\]/);
    match(child.tail(), /address: "nonsense"/);
    match(readFileSync(file, 'utf8'), /peers: \[10\.77\.0\.2\]/);
  });
});

interface Place {
  readonly lab: Lab;
  readonly host: Host;
  readonly file: string;
  readonly pass: string;
}

async function place(t: TestContext): Promise<Place> {
  const lab = await Lab.create(t);
  const host = await lab.host('a', '10.77.0.1/24');
  const folder = join(host.directory, 'etc');
  await host.exec(['mkdir', '-p', folder]);
  return { lab, host, file: join(folder, 'carpd.yaml'), pass: join(folder, 'vip.pass') };
}

function init(host: Host, file: string, ...options: readonly string[]): Promise<Child> {
  const argv = [...CARPD, 'init', '--config', file, ...options];
  return Promise.resolve(host.spawn(argv, { label: 'carpd init' }));
}
