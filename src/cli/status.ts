// `carpd status`: the table of a running daemon, once, or again every second with --watch.
import { setTimeout as sleep } from 'node:timers/promises';
import type { StatusReport } from '../report/report.ts';
import { statusText } from '../report/status-text.ts';
import type { StatusCommand } from './commands.ts';
import { hasColour } from './screen.ts';
import { ask, HTTP_OK, shown, unknownInstance } from './ask.ts';
import type { CommandOutcome } from './check.ts';

const REFRESH_MS = 1_000;

/** What of standard output decides how the table looks. */
export interface Screen {
  readonly isTTY?: boolean;
  readonly rows?: number;
  write(text: string): unknown;
}

/** The table as it is now. */
export function status(command: StatusCommand, screen: Screen): Promise<CommandOutcome> {
  const { name, json, socketPath } = command;
  return ask({
    socketPath,
    path: '/v1/status',
    show: ({ status: code, text }) => {
      if (code !== HTTP_OK) return undefined;
      const report = JSON.parse(text) as StatusReport;
      const instances = report.instances.filter((one) => name === undefined || one.name === name);
      if (name !== undefined && instances.length === 0) {
        return unknownInstance(name, report.instances);
      }
      const wanted = { ...report, instances };
      if (!json) return shown(statusText(wanted, { colour: hasColour(screen), all: command.all }));
      return shown(name === undefined ? text : `${JSON.stringify(wanted)}\n`);
    },
  });
}

/**
 * The table again and again until `signal` is aborted: in place on a terminal, else one after the
 * other. A daemon that does not answer is named in its place, and asked again.
 */
export async function watchStatus(
  command: StatusCommand,
  screen: Screen,
  signal: AbortSignal,
): Promise<CommandOutcome> {
  const inPlace = screen.isTTY === true && !command.json;
  let last = '';
  if (inPlace) screen.write(ENTER);
  try {
    while (!signal.aborted) {
      const { stdout, stderr } = await status(command, screen);
      last = stdout === '' ? stderr : stdout;
      screen.write(
        inPlace ? `${HOME}${fit(last, screen.rows)}${ERASE_BELOW}` : spaced(command, last),
      );
      await sleep(REFRESH_MS, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    if (inPlace) screen.write(LEAVE);
  }
  // What was seen last stays on the terminal.
  return shown(inPlace ? last : '');
}

/** Alternate screen without cursor, and back. */
const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const ERASE_LINE = '\u001b[K';
const ERASE_BELOW = '\u001b[J';

/** As many lines as fit, so that nothing scrolls; each wipes what stood there before. */
function fit(text: string, rows: number | undefined): string {
  const lines = text.trimEnd().split('\n');
  // A terminal that does not know its size says 0.
  const room = rows === undefined || rows === 0 ? lines.length : Math.max(2, rows - 1);
  const cut = lines.length > room;
  const fitting = cut ? lines.slice(0, room - 1) : lines;
  const rest = cut ? [`... ${lines.length - fitting.length} more lines`] : [];
  return [...fitting, ...rest].map((line) => `${line}${ERASE_LINE}\n`).join('');
}

function spaced({ json }: StatusCommand, text: string): string {
  return json ? text : `${text}\n`;
}
