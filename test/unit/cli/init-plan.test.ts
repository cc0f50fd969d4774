// What `carpd init` makes of answers: nodes that are set up apart from each other must fit.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatIpv4, ipv4, parseIpv4 } from '../../../src/base/addresses.ts';
import {
  ask,
  check,
  commandForPeer,
  type Paths,
  configurationText,
  plan,
  type Attachment,
  type GivenAnswers,
  type Plan,
} from '../../../src/cli/init-plan.ts';
import { loadConfig } from '../../../src/config/load.ts';

const ETH0 = attachment('eth0', '10.9.0.10', true);
const WLAN0 = attachment('wlan0', '192.168.1.5');
const OTHERS = ['10.9.0.20', '10.9.0.30'];
const ANSWERS: GivenAnswers = {
  interface: 'eth0',
  address: '10.9.0.100/24',
  peers: '10.9.0.20',
};

describe('the plan of a node', () => {
  test('has a prefix, a vhid and an advskew that nobody was asked for', () => {
    const made = planned({ interface: 'eth0', address: '10.9.0.100', peers: '10.9.0.20' });
    const { prefixLength, vhid, advskew, name, source } = made;
    assert.deepEqual(
      { prefixLength, vhid, advskew, name, source },
      { prefixLength: 24, vhid: 100, advskew: 0, name: 'vip', source: ETH0.address },
    );
  });

  test('fits the plans of its peers, made by the commands it tells', () => {
    const first = planned({ interface: 'eth0', address: '10.9.0.100/24', peers: OTHERS.join() });
    const plans = [first, ...OTHERS.map((peer) => planOfPeer(first, peer))];
    assert.deepEqual(
      plans.map(({ advskew }) => advskew),
      [0, 10, 20],
    );
    assert.deepEqual(new Set(plans.map(({ vhid, address }) => `${vhid} ${address}`)).size, 1);
    for (const { peers, source } of plans) {
      assert.deepEqual([...peers, source].length, 3);
      assert.ok(source === undefined || !peers.includes(source), 'no node is its own peer');
    }
  });

  test('keeps what is given', () => {
    const given = { interface: 'eth0', address: '10.9.0.100/32', name: 'db', vhid: '7' };
    const made = planned({ ...given, advskew: '200' });
    const { prefixLength, vhid, advskew, name } = made;
    assert.deepEqual(
      { prefixLength, vhid, advskew, name },
      { prefixLength: 32, vhid: 7, advskew: 200, name: 'db' },
    );
    const command = commandForPeer(made, ipv4(1), usualPaths('db'));
    assert.match(command, /--name db --vhid 7$/);
  });

  test('goes to the same places on the other nodes, where these are not the usual ones', () => {
    const made = planned(ANSWERS);
    const { name } = made;
    const command = (configPath: string, passphrasePath: string): string =>
      commandForPeer(made, ipv4(1), { configPath, passphrasePath });
    assert.match(command('/srv/c.yaml', `/srv/${name}.pass`), / --config \/srv\/c\.yaml$/);
    const apart = command('/srv/c.yaml', '/run/key');
    assert.match(apart, / --config \/srv\/c\.yaml --passphrase-file \/run\/key$/);
    const usual = usualPaths(name);
    assert.doesNotMatch(command(usual.configPath, usual.passphrasePath), /--config|--passphrase/);
  });

  test('names no peers where none is known, and asks for them there', () => {
    const made = { ...planned({ ...ANSWERS, interface: 'eth9' }), peers: [ipv4(1)] };
    assert.doesNotMatch(commandForPeer(made, ipv4(1), usualPaths(made.name)), /--peers/);
  });

  test('is a configuration that carpd takes', () => {
    const text = configurationText(planned(ANSWERS), '/etc/carpd/a "b".pass');
    const key = new TextEncoder().encode('secret\n');
    const result = loadConfig(text, { readFile: () => ({ bytes: key, mode: 0o600 }) });
    assert.ok(result.ok, JSON.stringify(result));
    assert.deepEqual(result.warnings, []);
    assert.equal(result.config.instances[0]?.peers.map(formatIpv4).join(), '10.9.0.20');
  });

  const wrong: readonly (readonly [string, GivenAnswers, RegExp])[] = [
    ['no interface', { address: '10.9.0.100' }, /--interface is needed/],
    ['no address', { interface: 'eth0' }, /--address is needed/],
    ['an interface that can not be', { ...ANSWERS, interface: 'a/b' }, /interface: /],
    ['an address that is none', { ...ANSWERS, address: 'x' }, /address: /],
    ['our own address', { ...ANSWERS, address: '10.9.0.10/24' }, /of eth0 itself/],
    ['a peer that is none', { ...ANSWERS, peers: '10.9.0.20,b' }, /peers: "b" is no IPv4/],
    ['a vhid out of range', { ...ANSWERS, vhid: '256' }, /--vhid: "256".*1-255/],
    ['an advskew that is none', { ...ANSWERS, advskew: '1.5' }, /--advskew: .*0-255/],
  ];
  for (const [what, given, says] of wrong) {
    test(`is refused with ${what}`, () => {
      const made = plan(given, [ETH0, WLAN0]);
      assert.ok(!made.ok, 'it is refused');
      assert.match(made.reason, says);
    });
  }
});

describe('a question', () => {
  test('offers the interface of the default route', () => {
    const [text, usual] = ask('interface', [WLAN0, ETH0]);
    assert.match(text, /wlan0, eth0/);
    assert.equal(usual, 'eth0');
    assert.equal(ask('interface', [WLAN0])[1], 'wlan0');
    assert.equal(ask('interface', [])[1], '');
  });

  test('may be answered with no peers at all', () => {
    assert.ok(check('peers', '', [ETH0]).ok, 'none is an answer');
    assert.deepEqual(planned({ ...ANSWERS, peers: '' }).peers, []);
  });
});

function usualPaths(name: string): Paths {
  return { configPath: '/etc/carpd/carpd.yaml', passphrasePath: `/etc/carpd/${name}.pass` };
}

function planned(given: GivenAnswers, attached = [ETH0, WLAN0]): Plan {
  const made = plan(given, attached);
  assert.ok(made.ok, made.ok ? '' : made.reason);
  return made.value;
}

/** What the other node makes of the command that the first one prints for it. */
function planOfPeer(first: Plan, peer: string): Plan {
  const words = commandForPeer(first, address(peer), usualPaths(first.name)).split(' ').slice(2);
  const given = Object.fromEntries(
    words.flatMap((word, at) => (word.startsWith('--') ? [[word.slice(2), words[at + 1]]] : [])),
  ) as GivenAnswers;
  return planned(given, [attachment('eth0', peer, true)]);
}

function attachment(name: string, text: string, isDefault = false): Attachment {
  return { name, address: address(text), prefixLength: 24, isDefault };
}

function address(text: string): ReturnType<typeof ipv4> {
  return parseIpv4(text) ?? ipv4(0);
}
