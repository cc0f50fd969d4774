// `carpd doctor` in namespaces where each fault was really made, and in one where all is well.
// Needs root, namespaces, nftables and the stock ucarp.
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startCarpd } from '../../lab/carpd-peer.ts';
import type { Host } from '../../lab/host.ts';
import { Lab, labSkipReason } from '../../lab/namespaces.ts';
import { startUcarp, ucarpSkipReason } from '../../lab/ucarp-peer.ts';
import { send } from '../gate/noise.ts';
import { bpdu, cdp, lacpdu, lldp } from '../support/switch-frames.ts';

const CARPD = [process.execPath, fileURLToPath(new URL('../../dist/main.js', import.meta.url))];
const VIP = '10.77.0.100';
const GROUP = { vhid: 7, vip: VIP, password: 'a secret' };
const WITHIN_MS = 60_000;
/** Several adverts come in that time, also on a busy machine. */
const SECONDS = '5';
const skip = (await labSkipReason()) || ucarpSkipReason();

describe('carpd doctor', { skip, concurrency: 6 }, () => {
  test('finds nothing worse than a note where a ucarp serves a carpd', async (t) => {
    const { host, peer, file } = await place(t);
    await startUcarp(peer, GROUP).waitFor('MASTER', WITHIN_MS);
    const own = startCarpd(host, { ...GROUP, gate: 'hold' }, settings(host));
    await own.waitFor('BACKUP', WITHIN_MS);
    const { findings, code } = await examine(host, file);
    const bad = findings.filter(({ grade }) => grade === 'failure' || grade === 'warning');
    // The ucarp beside it is in another namespace; this machine may have a firewall tool or none.
    deepEqual(bad, []);
    equal(code, 0);
    const codes = findings.map((one) => one.code);
    for (const wanted of ['adverts-good', 'daemon-running', 'interface-good', 'firewall-good']) {
      ok(codes.includes(wanted), `${wanted} in ${codes.join()}`);
    }
    const text = host.spawn([...CARPD, 'doctor', '--config', file, '--seconds', '0']);
    equal((await text.ended(WITHIN_MS)).code, 0, text.tail());
    match(text.tail(60), /\| host\n[^]*\| eth0\n[^]*\| Nothing is in the way\.$/);
  });

  test('sees that a firewall drops adverts, by its rules and by what arrives', async (t) => {
    const { lab, host, peer, file } = await place(t);
    await startUcarp(peer, GROUP).waitFor('MASTER', WITHIN_MS);
    await lab.dropInFirewall(host, 'input', 'ip protocol 112');
    const { findings, code } = await examine(host, file);
    expect(findings, 'firewall-drops', /nft insert rule/);
    expect(findings, 'adverts-blocked', /accept/);
    equal(code, 1);
  });

  test('hears who disagrees, and who has the address without a word', async (t) => {
    const { lab, host, peer, file } = await place(t, { target: '10.77.0.77' });
    await startUcarp(peer, { ...GROUP, password: 'another' }).waitFor('MASTER', WITHIN_MS);
    const twin = await lab.host('c', '10.77.0.1/24');
    await twin.ip('addr', 'add', `${VIP}/24`, 'dev', 'eth0');
    const { findings } = await examine(host, file);
    expect(findings, 'peer-disagrees', /passphrase/);
    expect(findings, 'source-twice', /own/);
    ok(
      findings.some(({ code }) => code === 'vip-in-use' || code === 'vip-twice'),
      'somebody has the address',
    );
    expect(findings, 'target-silent', /gate\.probe\.targets/);
  });

  test('reads what the switch says', async (t) => {
    const { lab, host, file } = await place(t);
    send(lab, host, [
      lldp({ system: 'sw1', port: 'Eth1/7', vlan: 42 }),
      cdp('sw2', 'Gi0/3'),
      bpdu({ flags: 0x0e }),
      lacpdu(0x3d),
    ]);
    const { findings } = await examine(host, file);
    const texts = findings.filter(({ code }) => code === 'switch').map((one) => one.text);
    deepEqual(texts.sort(), ['CDP: port Gi0/3 of sw2', 'LLDP: port Eth1/7 of sw1, VLAN 42']);
    expect(findings, 'spanning-tree-waits', /edge port/);
    expect(findings, 'lacp-unwanted', /bond/);
  });

  test('reads the BPDUs of a real bridge', async (t) => {
    const { lab, host, file } = await place(t);
    await lab.switch.ip('link', 'set', 'br0', 'type', 'bridge', 'stp_state', '1');
    expect((await examine(host, file)).findings, 'spanning-tree', /edge port/);
  });

  test('hears that a port passes nothing', async (t) => {
    const { lab, host, file } = await place(t);
    await lab.port(host).block();
    expect((await examine(host, file)).findings, 'segment-silent', /switch port/);
  });

  test('sees what is wrong with the host', async (t) => {
    const { host, file } = await place(t, { hooks: true });
    await host.exec(['sysctl', '-qw', 'net.ipv4.conf.eth0.arp_ignore=8']);
    await host.ip('addr', 'add', `${VIP}/24`, 'dev', 'eth0');
    await host.ip('link', 'add', 'eth9', 'type', 'veth', 'peer', 'name', 'eth8');
    await host.ip('addr', 'add', '10.77.0.9/24', 'dev', 'eth9');
    await host.ip('link', 'set', 'eth9', 'up');
    startUcarp(host, { ...GROUP, vhid: 9, vip: '10.77.0.99' });
    const busy = "require('net').createServer().listen(9112, '127.0.0.1', () => console.log('up'))";
    await host.spawn([process.execPath, '-e', busy]).line(/^up$/, WITHIN_MS);
    const { findings } = await examine(host, file, '0');
    expect(findings, 'configuration-warning', /chmod 600/, 'text');
    expect(findings, 'arp-unanswered', /sysctl/);
    expect(findings, 'vip-left-over', /ip addr del/);
    expect(findings, 'network-twice', /bond/);
    expect(findings, 'other-daemon', /migrating/);
    expect(findings, 'metrics-unusable', /metrics\.listen/);
    expect(findings, 'hook-missing', /hooks/);
    expect(findings, 'hook-not-executable', /chmod 755/);
    expect(findings, 'hook-writable', /chown root/);
    expect(findings, 'daemon-absent', /systemctl start carpd/);
  });

  test('sees a bridge without a way out, and an interface that is down or not there', async (t) => {
    const lab = await Lab.create(t);
    const host = await lab.host('a', '10.77.0.1/24');
    await host.ip('link', 'add', 'br9', 'type', 'bridge', 'mcast_snooping', '1');
    const of = async (name: string): Promise<readonly Finding[]> =>
      (await run(host, ['-i', name, '--seconds', '0', '--json'])).findings;
    expect(await of('br9'), 'interface-down', /ip link set br9 up/);
    await host.ip('link', 'set', 'br9', 'up');
    const found = await of('br9');
    // Adverts go to a group that no bridge holds back, unless a configuration says otherwise.
    ok(!found.some(({ code }) => code === 'snooping-alone'), 'snooping does no harm');
    expect(found, 'no-uplink', /gate\.uplinks/);
    expect(found, 'no-address', /address/);
    expect(await of('eth7'), 'interface-missing', /there are: .*eth0/);
    expect(await of('lo'), 'interface-type', /Ethernet/);
  });

  test('says what it can without rights, and what is wrong with a configuration', async (t) => {
    const { host, file } = await place(t);
    const weak = ['setpriv', '--inh-caps=-all', '--bounding-set=-all'];
    const { findings } = await run(host, ['--config', file, '--json'], weak);
    expect(findings, 'privileges-missing', /CAP_NET_RAW/);
    expect(findings, 'not-looked', /as root$/);
    const lines = readFileSync(file, 'utf8');
    writeFileSync(file, lines.replace(/passphraseFile: .*/, 'passphraseFile: credential:db'));
    const unread = await run(host, ['--config', file, '--seconds', '0', '--json']);
    expect(unread.findings, 'not-looked', /credential:db is shown to the service/, 'text');
    writeFileSync(file, 'instances: {}\n');
    const broken = host.spawn([...CARPD, 'doctor', '--config', file]);
    equal((await broken.ended(WITHIN_MS)).code, 2, broken.tail());
    match(broken.tail(), /carpd\.yaml: instances: /);
  });
});

interface Finding {
  readonly code: string;
  readonly grade: string;
  readonly text: string;
  readonly remedy: string | null;
}

function expect(
  findings: readonly Finding[],
  code: string,
  says: RegExp,
  where: 'remedy' | 'text' = 'remedy',
): void {
  const found = findings.find((one) => one.code === code);
  ok(found !== undefined, `${code} in ${findings.map((one) => one.code).join(' ')}`);
  match(found[where] ?? '', says);
}

interface Place {
  readonly lab: Lab;
  readonly host: Host;
  readonly peer: Host;
  readonly file: string;
}

/** A host with a configuration, and another one with nothing. */
async function place(t: TestContext, { hooks = false, target = '10.77.0.9' } = {}): Promise<Place> {
  const lab = await Lab.create(t);
  const host = await lab.host('a', '10.77.0.1/24');
  const peer = await lab.host('b', '10.77.0.9/24');
  const folder = join(host.directory, `etc-${host.name}`);
  mkdirSync(folder);
  const file = join(folder, 'carpd.yaml');
  const pass = join(folder, 'pass');
  writeFileSync(pass, `${GROUP.password}\n`, { mode: hooks ? 0o644 : 0o600 });
  const script = join(folder, 'up');
  writeFileSync(script, '#!/bin/sh\n');
  chmodSync(script, 0o666);
  const lines = [
    `control: { socket: ${controlSocket(host)} }`,
    `state: { directory: ${folder} }`,
    ...(hooks ? [] : ['metrics: { listen: off }']),
    'instances:',
    '  vip:',
    '    interface: eth0',
    `    vhid: ${String(GROUP.vhid)}`,
    `    address: ${VIP}/24`,
    `    passphraseFile: ${pass}`,
    '    source: 10.77.0.1',
    ...(hooks
      ? [`    hooks: { up: [${script}], down: [${folder}/none] }`]
      : [`    peers: [${peer.address}]`, `    gate: { probe: { targets: [${target}] } }`]),
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  return { lab, host, peer, file };
}

function controlSocket(host: Host): string {
  return join(host.directory, `doctor-${host.name}.sock`);
}

function settings(host: Host): Readonly<Record<string, unknown>> {
  return { control: { socket: controlSocket(host) } };
}

function examine(host: Host, file: string, seconds = SECONDS): Promise<Examined> {
  return run(host, ['--config', file, '--seconds', seconds, '--json']);
}

interface Examined {
  readonly findings: readonly Finding[];
  readonly code: number | null;
}

async function run(
  host: Host,
  options: readonly string[],
  wrapper: readonly string[] = [],
): Promise<Examined> {
  const child = host.spawn([...wrapper, ...CARPD, 'doctor', ...options], { label: 'carpd doctor' });
  const { code } = await child.ended(WITHIN_MS);
  const text = child.lines.map((line) => line.text).join('\n');
  ok(text.startsWith('{'), text);
  const report = JSON.parse(text) as { readonly findings: readonly Finding[] };
  return { findings: report.findings, code };
}
