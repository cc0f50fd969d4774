// Reads a scenario, plays it on one election, and writes the transcript of what it did.
//
//   # a comment
//   node advskew=10 preempt                settings other than those of support/rig.ts
//   0     ready 10.77.0.5                  at 0 ms, after all deadlines until then: an input
//   500   world vip=never send=fails       how the world answers from then on
//   600   hear 10.77.0.9 1/0 demote=1 #7   an advert; its counter is 100 where none is given
//   800   set advskew=0                   these settings from then on, the others as in rig.ts
//   9000  wait                             nothing but time
//   ----
//       0 < interface-ready 10.77.0.5      what it was given
//       0 > INIT -> HELD interface-ready   what it wants done; #N is the counter of an advert
import assert from 'node:assert/strict';
import { toMillis } from '../../src/base/time.ts';
import type { Effect } from '../../src/election/effects.ts';
import type { Input, PathTrust } from '../../src/election/inputs.ts';
import type { ElectionSettings } from '../../src/election/settings.ts';
import { effectText, inputText } from '../support/effect-text.ts';
import { INTERFACE_FAULTS, isInterfaceFault } from '../support/interface-faults.ts';
import { address } from '../support/packets.ts';
import { DEFAULTS, Rig, type Answers } from '../support/rig.ts';

const SEPARATOR = '----';
const TIME_WIDTH = 9;

/** A scenario's commands, and the transcript that was found behind them. */
export interface Scenario {
  readonly commands: readonly string[];
  readonly expected: string;
}

/** Splits the text of a file; a new scenario has no separator yet. */
export function readScenario(text: string): Scenario {
  const [commands = '', ...rest] = text.split(`\n${SEPARATOR}\n`);
  return { commands: commands.trimEnd().split('\n'), expected: rest.join('') };
}

/** The text of a file. */
export function writeScenario(commands: readonly string[], transcript: string): string {
  return `${commands.join('\n')}\n${SEPARATOR}\n${transcript}`;
}

/** Plays the commands; the transcript ends with a newline. */
export function play(commands: readonly string[]): string {
  const lines = commands.filter((line) => line !== '' && !line.startsWith('#'));
  const nodeLine = lines.find((line) => line.startsWith('node'));
  const rig = new Rig(readSettings(nodeLine?.split(/\s+/).slice(1) ?? []));
  const given = new Set<Input>();
  for (const line of lines) {
    if (line === nodeLine) continue;
    const [time = '', command = '', ...words] = line.trim().split(/\s+/);
    assert.match(time, /^\d+(?:\.\d{1,3})?$/, `${line}: a time in milliseconds comes first`);
    rig.runTo(Number(time));
    if (command === 'wait') continue;
    if (command === 'world') {
      setAnswers(rig.answers, words);
      continue;
    }
    const input = readInput(command, words, line);
    given.add(input);
    rig.give(input);
  }
  return rig.trace.map((entry) => entryText(entry, given)).join('');
}

function entryText(entry: Rig['trace'][number], given: ReadonlySet<Input>): string {
  const at = toMillis(entry.at).toFixed(3).padStart(TIME_WIDTH);
  if ('effect' in entry) return `${at} > ${effectText(entry.effect)}${counterText(entry.effect)}\n`;
  return given.has(entry.input) ? `${at} < ${inputText(entry.input)}\n` : '';
}

function counterText(effect: Effect): string {
  return effect.kind === 'send-advert' ? ` #${String(effect.counter)}` : '';
}

function readSettings(words: readonly string[]): Partial<ElectionSettings> {
  return words.map(readSetting).reduce((all, setting) => ({ ...all, ...setting }), {});
}

function readSetting(word: string): Partial<ElectionSettings> {
  const [name = '', value = ''] = word.split('=');
  switch (name) {
    case 'advbase':
    case 'advskew':
    case 'deadRatio':
      return { [name]: Number(value) };
    case 'preempt':
    case 'neutral':
      return { [name]: true };
    case 'hooks-manage-address':
      return { manageAddress: false };
    default:
      throw new Error(`unknown setting: ${word}`);
  }
}

function setAnswers(answers: Answers, words: readonly string[]): void {
  for (const word of words) {
    const [name = '', value = ''] = word.split('=');
    const delay = value === 'never' ? undefined : Number(value);
    if (name === 'send') answers.sendOk = value === 'works';
    else if (name === 'claim') answers.claimOk = value === 'works';
    else if (name === 'release') answers.releaseOk = value === 'works';
    else if (name === 'vip') answers.vipMs = delay;
    else if (name === 'hook') answers.hookMs = delay;
    else throw new Error(`unknown answer: ${word}`);
  }
}

function readInput(command: string, words: readonly string[], line: string): Input {
  const [first = '', second = '', ...rest] = words;
  switch (command) {
    case 'start':
      return { kind: 'started' };
    case 'ready':
      return { kind: 'interface-ready', source: address(first) };
    case 'lost': {
      assert.ok(isInterfaceFault(first), `${line}: one of ${INTERFACE_FAULTS.join(', ')}`);
      return { kind: 'interface-lost', cause: first };
    }
    case 'carrier':
      return { kind: 'carrier-changed', up: oneOf(line, first, 'up', 'down') };
    case 'gate':
      return { kind: 'gate-changed', open: oneOf(line, first, 'open', 'closed') };
    case 'doubt':
      return { kind: 'doubt-changed', inDoubt: oneOf(line, first, 'on', 'off') };
    case 'path':
      return { kind: 'path-changed', trust: readTrust(line, first) };
    case 'maintenance':
      return { kind: 'maintenance-changed', on: oneOf(line, first, 'on', 'off') };
    case 'hear':
      return readHeard(first, second, rest);
    case 'vip-restored':
    case 'vip-released':
      return { kind: command, term: Number(first) };
    case 'set':
      return { kind: 'reconfigured', settings: { ...DEFAULTS, ...readSettings(words) } };
    case 'handover':
      return { kind: 'handover-requested' };
    case 'stop':
      return { kind: 'stop-requested' };
    case 'retire':
      return { kind: 'retire-requested' };
    default:
      throw new Error(`unknown command: ${line}`);
  }
}

function readTrust(line: string, word: string): PathTrust {
  const trust = (['trusted', 'unconfirmed', 'unheard', 'dark'] as const).find(
    (known) => known === word,
  );
  assert.ok(trust, `${line}: trusted, unconfirmed or dark`);
  return trust;
}

/** `rest`: "demote=N", and "#N" for the counter. */
function readHeard(from: string, timers: string, rest: readonly string[]): Input {
  const [advbase = 0, advskew = 0] = timers.split('/').map(Number);
  const demote = rest.find((word) => word.startsWith('demote='))?.slice('demote='.length) ?? '0';
  const counter = rest.find((word) => word.startsWith('#'))?.slice(1) ?? '100';
  const advert = { advbase, advskew, demote: Number(demote), counter: BigInt(counter) };
  return { kind: 'advert-heard', from: address(from), advert, proved: true };
}

function oneOf(line: string, word: string, yes: string, no: string): boolean {
  assert.ok(word === yes || word === no, `${line}: ${yes} or ${no}`);
  return word === yes;
}
