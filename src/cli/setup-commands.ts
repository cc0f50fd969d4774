// The commands that help to set carpd up and to find out what is wrong, without a daemon.
import { CONFIG_PATH_DEFAULT } from './config-path.ts';
import { defineCommand, misuse, quoted } from './grammar.ts';

/** Switches speak at least every two seconds of spanning tree, and every thirty of LLDP. */
const LISTENING_SECONDS = 10;

const ANSWERS = ['interface', 'address', 'peers', 'name', 'vhid', 'advskew'] as const;

export const init = defineCommand({
  usage: [
    `[--interface IF] [--address IP/PREFIX] [--peers IP,...]
                  [--name NAME] [--vhid N] [--advskew N] [--config FILE]
                  [--passphrase-file FILE] [--force] [--no-doctor]`,
  ],
  brief: ['init', 'write a first configuration, with questions'],
  about:
    'Writes a configuration and a passphrase file, looks for what is in the way, and says what ' +
    'to do next, on this host and on the others. Asks on the terminal for what is not given.',
  options: {
    '--interface': { value: 'IF', doc: 'the interface of the segment' },
    '--address': { value: 'IP/PREFIX', doc: 'the virtual IP' },
    '--peers': { value: 'IP,...', doc: 'the real addresses of the other nodes' },
    '--name': { value: 'NAME', doc: 'of the instance; vip if not given' },
    '--vhid': { value: 'N', doc: '1-255; if not given, the last number of the virtual IP' },
    '--advskew': {
      value: 'N',
      doc:
        '0-255; if not given, by the order of the addresses of this node and its peers, so ' +
        'that no two are alike',
    },
    '--config': { value: 'FILE', doc: `where to write; ${CONFIG_PATH_DEFAULT} if not given` },
    '--passphrase-file': {
      value: 'FILE',
      doc:
        'kept if it is there, else written with a new passphrase; NAME.pass beside the ' +
        'configuration',
    },
    '--force': { doc: 'replace a configuration; the old one gets .old' },
    '--no-doctor': { doc: 'do not look for what is in the way' },
  },
  exits: '0 written, 1 not writable or there already, 2 wrong answers.',
  read: (given) => {
    const answers: Partial<Record<(typeof ANSWERS)[number], string>> = {};
    for (const answer of ANSWERS) {
      const text = given.value(`--${answer}`);
      if (text !== undefined) answers[answer] = text;
    }
    return {
      kind: 'init',
      given: answers,
      configPath: given.value('--config') ?? CONFIG_PATH_DEFAULT,
      passphrasePath: given.value('--passphrase-file'),
      force: given.has('--force'),
      examine: !given.has('--no-doctor'),
    };
  },
});

export const sniff = defineCommand({
  usage: [
    '-i IF [--seconds N] [--count N] [--config FILE] [--json]',
    '-r FILE.pcap [--count N] [--config FILE] [--json]',
  ],
  brief: ['sniff -i IF | -r FILE.pcap', 'adverts on the wire, and who sends them'],
  about:
    'Shows every packet of IP protocol 112 as it passes the interface, ahead of the firewall, ' +
    'or as it stands in a capture of tcpdump: adverts, VRRP, and what no receiver would take. ' +
    'At the end, a line for each speaker. Needs root with -i.',
  options: {
    '-i': { value: 'IF', doc: 'listen on this interface, until Ctrl-C' },
    '-r': { value: 'FILE', doc: 'read a capture file; - is standard input' },
    '--config': { value: 'FILE', doc: 'say whether digests are right for its instances' },
    '--count': { value: 'N', doc: 'end after so many packets' },
    '--seconds': { value: 'N', doc: 'end after so many seconds' },
    '--json': { doc: 'one JSON object a line' },
  },
  exits: "0 done, 1 can't listen or read, 2 wrong usage or configuration.",
  read: (given) => {
    const [interfaceName, file] = [given.value('-i'), given.value('-r')];
    if ((interfaceName === undefined) === (file === undefined)) {
      return misuse('sniff: give -i INTERFACE or -r FILE.pcap');
    }
    if (file !== undefined && given.has('--seconds')) {
      return misuse('sniff: --seconds goes with -i only; a file ends by itself');
    }
    for (const option of ['--count', '--seconds'] as const) {
      const number = given.value(option);
      if (number === undefined || /^[1-9]\d{0,5}$/.test(number)) continue;
      return misuse(`sniff: ${option} ${quoted(number)} is not a whole number 1-999999`);
    }
    const [count, seconds] = [given.value('--count'), given.value('--seconds')].map(toNumber);
    const json = given.has('--json');
    const configPath = given.value('--config');
    return { kind: 'sniff', interfaceName, file, configPath, json, count, seconds };
  },
});

export const doctor = defineCommand({
  usage: ['[--config FILE | -i IF] [--seconds N] [--json]'],
  brief: ['doctor [--config FILE | -i IF]', 'what on this host and its links is in the way'],
  about:
    'Looks at everything that a CARP group needs, and says what is in the way, and what to do ' +
    'about it: rights, interface, bond and LACP, firewall, settings of the kernel, other ' +
    'daemons; and on the segment the switch, the peers, who has the addresses, and whether ' +
    'adverts get through. Changes nothing, and works beside a running carpd. Without root it ' +
    'looks at less, and says so.',
  options: {
    '--config': { value: 'FILE', doc: `of the daemon; ${CONFIG_PATH_DEFAULT} if not given` },
    '-i': { value: 'IF', doc: 'look at an interface alone, before there is a configuration' },
    '--seconds': {
      value: 'N',
      doc:
        `how long to listen on each segment, 0-999: ${LISTENING_SECONDS} if not given; 0 ` +
        'listens to none. LLDP takes up to 30',
    },
    '--json': { doc: 'the findings as JSON' },
  },
  exits: '0 nothing worse than a note, 1 a failure or a warning, 2 wrong usage or configuration.',
  read: (given) => {
    const [interfaceName, file] = [given.value('-i'), given.value('--config')];
    if (interfaceName !== undefined && file !== undefined) {
      return misuse('doctor: give --config FILE or -i INTERFACE, not both');
    }
    const seconds = given.value('--seconds') ?? String(LISTENING_SECONDS);
    if (!/^\d{1,3}$/.test(seconds)) {
      return misuse(`doctor: --seconds ${quoted(seconds)} is not a whole number 0-999`);
    }
    const configPath = interfaceName === undefined ? (file ?? CONFIG_PATH_DEFAULT) : undefined;
    const json = given.has('--json');
    return { kind: 'doctor', configPath, interfaceName, json, seconds: Number(seconds) };
  },
});

function toNumber(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
