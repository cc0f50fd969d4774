// The hosts of the quick start as a picture, with the addresses that the README gives them.
import { COLOURS, INK, line, MUTED, picture, rect, text } from './svg.ts';

const WIDTH = 960;
const HEIGHT = 372;

/** The addresses of the quick start. */
export interface QuickStart {
  readonly interface: string;
  /** Without its prefix length. */
  readonly vip: string;
  readonly hosts: readonly [string, string];
}

/** Reads the quick start's own words; throws where it has them no more. */
export function readQuickStart(readme: string): QuickStart {
  const init = /carpd init --interface (\S+) --address ([\d.]+)\/\d+ --peers (\S+)/.exec(readme);
  const hosts = /You have two hosts, ([\d.]+) and ([\d.]+),/.exec(readme);
  const [, device, vip, peer] = init ?? [];
  const [, first, second] = hosts ?? [];
  if (device === undefined || vip === undefined) throw new Error('no `carpd init` in the README');
  if (first === undefined || second === undefined) throw new Error('no hosts in the README');
  if (peer !== second) throw new Error(`${peer ?? 'nobody'} is the peer, and ${second} the host`);
  return { interface: device, vip, hosts: [first, second] };
}

export function topologySvg(start: QuickStart): string {
  const { vip, hosts } = start;
  const label = `Two hosts on one segment share ${vip}; clients use that address alone`;
  return picture(WIDTH, HEIGHT, label, [
    text(24, 32, `Two hosts share ${vip}`, { size: 16, bold: true }),
    text(24, 54, 'Clients use the virtual IP and never need to know which host has it.', {
      fill: MUTED,
    }),
    ...host(90, hosts[0], start, true),
    ...host(630, hosts[1], start, false),
    rect(90, 252, 780, 34, COLOURS.paper, COLOURS.line),
    text(480, 274, 'one Ethernet segment (a switch, a VLAN)', { anchor: 'middle' }),
    line([
      [210, 214],
      [210, 250],
    ]),
    line([
      [750, 214],
      [750, 250],
    ]),
    line(
      [
        [330, 150],
        [628, 150],
      ],
      true,
    ),
    text(480, 134, 'adverts, once a second', { anchor: 'middle', bold: true }),
    text(480, 172, 'IP protocol 112 to 224.0.0.18, signed', { anchor: 'middle', size: 12 }),
    text(480, 190, 'silent for 3 s: the backup takes over', {
      anchor: 'middle',
      size: 12,
      fill: MUTED,
    }),
    line([
      [480, 286],
      [480, 318],
    ]),
    rect(380, 318, 200, 34, '#ffffff', COLOURS.line),
    text(480, 340, `clients of ${vip}`, { anchor: 'middle' }),
  ]);
}

function host(x: number, address: string, start: QuickStart, isMaster: boolean): readonly string[] {
  const state = isMaster ? 'MASTER' : 'BACKUP';
  return [
    rect(x, 82, 240, 132, '#ffffff', INK),
    rect(x, 82, 240, 32, COLOURS[state]),
    text(x + 120, 103, `carpd: ${state}`, { bold: true, fill: '#ffffff', anchor: 'middle' }),
    text(x + 16, 140, start.interface, { mono: true }),
    text(x + 16, 162, address, { mono: true }),
    text(x + 146, 162, 'its own', { size: 12, fill: MUTED }),
    ...(isMaster
      ? [
          text(x + 16, 184, start.vip, { mono: true, bold: true, fill: COLOURS.MASTER }),
          text(x + 146, 184, 'virtual IP', { size: 12, fill: COLOURS.MASTER }),
        ]
      : [text(x + 16, 184, 'no virtual IP now', { size: 12, fill: MUTED })]),
  ];
}
