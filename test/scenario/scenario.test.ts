// Situations an operator would recognise, each with the whole transcript of what the election wants
// done. UPDATE=1 rewrites the transcripts: read the difference before you believe it.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { play, readScenario, writeScenario } from './transcript.ts';

const FOLDER = new URL('.', import.meta.url);
const UPDATE = process.env['UPDATE'] === '1';

describe('scenarios', () => {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.txt'));

  it('are there', () => assert.ok(names.length >= 12, 'names.length >= 12'));

  for (const name of names) {
    it(name, () => {
      const file = new URL(name, FOLDER);
      const { commands, expected } = readScenario(readFileSync(file, 'utf8'));
      const transcript = play(commands);
      if (UPDATE) writeFileSync(file, writeScenario(commands, transcript));
      else assert.equal(transcript, expected);
    });
  }

  it('with a wrong command or setting are refused', () => {
    for (const line of ['0 jump', 'x ready', '0 carrier sideways', 'node speed=9', '0 world x=1']) {
      assert.throws(() => play([line]), Error, line);
    }
  });
});
