// `carpd sniff`: what passes of protocol 112 on an interface or in a capture file, who speaks, and
// whether the configuration at hand would believe them.
import { createReadStream } from 'node:fs';
import { messageOf } from '../base/errors.ts';
import { describeFault, loadConfigFile } from '../config/load.ts';
import { readFileWithMode } from '../config/read-file.ts';
import { knownGroups } from '../sniff/known-groups.ts';
import { observe, type KnownGroup } from '../sniff/observe.ts';
import { PcapReader, type CapturedPacket } from '../sniff/pcap.ts';
import { Speakers } from '../sniff/speakers.ts';
import { observationJson, observationLine, summaryJson, summaryText } from '../sniff/text.ts';
import { inColour } from '../report/colour.ts';
import type { SniffCommand } from './commands.ts';
import { fitted, hasColour, localTimeOfDay, type TerminalLike } from './screen.ts';

/** Where it is printed, and when it is over. */
export interface SniffEnds {
  readonly stdout: NodeJS.WritableStream & TerminalLike;
  readonly stderr: NodeJS.WritableStream;
  /** The user, or whoever reads the output, has had enough. */
  readonly signal: AbortSignal;
}

const EXIT_FAILED = 1;
const EXIT_CONFIGURATION = 2;

/** Prints a line for each packet and a summary at the end; resolves to the exit code. */
export async function sniff(command: SniffCommand, ends: SniffEnds): Promise<number> {
  const complain = (text: string): void => void ends.stderr.write(`carpd: ${text}\n`);
  const known = groupsOf(command.configPath, complain);
  if (known === 'invalid') return EXIT_CONFIGURATION;
  const printer = new Printer(command, known, ends.stdout);
  const { file, interfaceName } = command;
  const fault =
    file === undefined
      ? await listen(interfaceName ?? '', command, { ...ends, printer, complain })
      : await readCapture(file, printer, ends.signal);
  if (fault === undefined || fault.seen) printer.end();
  if (fault === undefined) return 0;
  complain(`sniff: ${fault.text}`);
  return EXIT_FAILED;
}

/** Prints observations until it has seen as many as were asked for. */
class Printer {
  readonly #json: boolean;
  readonly #known: readonly KnownGroup[] | undefined;
  readonly #stdout: SniffEnds['stdout'];
  readonly #speakers = new Speakers();
  readonly #full = new AbortController();
  #left: number;

  constructor(
    { json, count }: SniffCommand,
    known: readonly KnownGroup[] | undefined,
    stdout: SniffEnds['stdout'],
  ) {
    this.#json = json;
    this.#known = known;
    this.#stdout = stdout;
    this.#left = count ?? Infinity;
  }

  /** Aborted when there have been as many as were asked for. */
  get full(): AbortSignal {
    return this.#full.signal;
  }

  add(packet: CapturedPacket): void {
    if (this.#left <= 0) return;
    const seen = observe(packet, this.#known);
    if (seen === undefined) return;
    this.#speakers.add(seen);
    const unixMs = seen.timeUs / 1_000;
    if (this.#json) {
      this.#stdout.write(`${observationJson(seen, new Date(unixMs).toISOString())}\n`);
    } else this.#print(observationLine(seen, localTimeOfDay(unixMs)));
    this.#left -= 1;
    if (this.#left <= 0) this.#full.abort();
  }

  end(): void {
    const summary = this.#speakers.summary();
    if (this.#json) return void this.#stdout.write(`${summaryJson(summary)}\n`);
    this.#stdout.write('\n');
    for (const line of summaryText(summary).trimEnd().split('\n')) this.#print(line);
  }

  #print(line: string): void {
    const text = fitted(line, this.#stdout);
    this.#stdout.write(`${hasColour(this.#stdout) ? inColour(text) : text}\n`);
  }
}

/** Undefined: there is no configuration, and no digest is checked. */
function groupsOf(
  path: string | undefined,
  complain: (text: string) => void,
): readonly KnownGroup[] | 'invalid' | undefined {
  if (path === undefined) return undefined;
  const result = loadConfigFile(path, readFileWithMode);
  if (result.ok) return knownGroups(result.config.instances);
  for (const fault of result.faults) complain(`${path}: ${describeFault(fault)}`);
  return 'invalid';
}

/** What went wrong, and whether something was seen before, so that there is a summary. */
interface Fault {
  readonly text: string;
  readonly seen: boolean;
}

interface Listening extends SniffEnds {
  readonly printer: Printer;
  readonly complain: (text: string) => void;
}

/** Listens until somebody has had enough; resolves to what kept it from listening. */
async function listen(
  interfaceName: string,
  { seconds }: SniffCommand,
  { signal, printer, complain }: Listening,
): Promise<Fault | undefined> {
  // Loaded late: reading a file needs no addon.
  const { openLiveCapture } = await import('../sniff/live-capture.ts');
  try {
    const close = await openLiveCapture({
      interfaceName,
      onPacket: (packet) => printer.add(packet),
      onError: (reason) => complain(`sniff: ${reason}`),
    });
    const over = [signal, printer.full];
    if (seconds !== undefined) over.push(AbortSignal.timeout(seconds * 1_000));
    await aborted(AbortSignal.any(over));
    close();
    return undefined;
  } catch (error) {
    return { text: messageOf(error), seen: false };
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    // The wait for a signal alone keeps no process alive.
    const alive = setInterval(() => undefined, 60_000);
    signal.addEventListener('abort', () => {
      clearInterval(alive);
      resolve();
    });
  });
}

/** Reads a file, or standard input as "-"; resolves to what is wrong with it. */
async function readCapture(
  file: string,
  printer: Printer,
  signal: AbortSignal,
): Promise<Fault | undefined> {
  let seen = false;
  const name = file === '-' ? 'standard input' : file;
  const reader = new PcapReader();
  const stream = file === '-' ? process.stdin : createReadStream(file);
  try {
    for await (const piece of stream as AsyncIterable<Uint8Array>) {
      const packets = reader.push(piece);
      if (!packets.ok) return { text: `${name} ${packets.reason}`, seen };
      seen ||= packets.value.length > 0;
      for (const packet of packets.value) printer.add(packet);
      if (signal.aborted || printer.full.aborted) return undefined;
    }
  } catch (error) {
    return { text: `${name} can't be read: ${messageOf(error)}`, seen };
  }
  const fault = reader.end();
  return fault === undefined ? undefined : { text: `${name} ${fault}`, seen };
}
