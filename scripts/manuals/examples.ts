// The examples of the two commands in their manual pages. A test holds every command line in them to
// what the commands really take.
import type { Block } from './roff.ts';

interface Example {
  readonly tells: string;
  readonly lines: readonly string[];
}

const CARPD: readonly Example[] = [
  {
    tells: 'Write a first configuration, check the host, and start the daemon:',
    lines: [
      'carpd init --interface eth0 --address 10.9.0.100/24 --peers 10.9.0.20',
      'carpd doctor',
      'systemctl enable --now carpd',
    ],
  },
  {
    tells: 'Run it without systemd, in the foreground, as root:',
    lines: ['carpd run --config /etc/carpd/carpd.yaml'],
  },
  {
    tells: 'See who is master, and why this node is not:',
    lines: ['carpd status', 'carpd explain vip'],
  },
  {
    tells: 'Change the configuration; a wrong file changes nothing:',
    lines: ['carpd check --diff', 'carpd reload'],
  },
  {
    tells: 'Reboot the master. The other node serves meanwhile:',
    lines: ['carpd maintenance on', 'systemctl reboot', 'carpd maintenance off'],
  },
  {
    tells: 'Move the virtual IP to the other node now:',
    lines: ['carpd handover vip'],
  },
  {
    tells: 'Follow everything that happens, as sentences and for a program:',
    lines: [
      'carpd watch',
      'carpd watch --json | jq -c \'select(.event == "transition") | [.time, .name, .to, .cause]\'',
    ],
  },
  {
    tells: 'See the adverts on the wire, and whether this configuration accepts them:',
    lines: ['carpd sniff -i eth0 --config /etc/carpd/carpd.yaml --seconds 10'],
  },
  {
    tells: 'Remove what a killed daemon left on the interface:',
    lines: ['carpd release'],
  },
];

const UCARP: readonly Example[] = [
  {
    tells: 'Share 10.1.1.252 with other hosts; the scripts add and remove the address:',
    lines: [
      'ucarp --interface=eth0 --srcip=10.1.1.1 --vhid=1 --passfile=/etc/vip.pass --addr=10.1.1.252 --upscript=/etc/vip-up.sh --downscript=/etc/vip-down.sh',
    ],
  },
  {
    tells: 'The same as the preferred node, in the background, with metrics for Prometheus:',
    lines: [
      'ucarp -i eth0 -s 10.1.1.1 -v 1 -o /etc/vip.pass -a 10.1.1.252 -k 0 -P -B --metrics=127.0.0.1:9112',
    ],
  },
  {
    tells: 'Promote without proof of the link after a minute, as on a segment without other hosts:',
    lines: [
      'ucarp -i eth0 -s 10.1.1.1 -v 1 -o /etc/vip.pass -a 10.1.1.252 --gate=promote-after:60',
    ],
  },
];

/** The section EXAMPLES of a command. */
export function examplesOf(command: 'carpd' | 'ucarp'): readonly Block[] {
  const list = command === 'carpd' ? CARPD : UCARP;
  return [
    { kind: 'section', title: 'Examples' },
    ...list.flatMap(({ tells, lines }): readonly Block[] => [
      { kind: 'paragraph', text: tells },
      { kind: 'verbatim', text: lines.join('\n') },
    ]),
  ];
}
