// Words in colour, as escape sequences of a terminal: green is good, red is bad. Pure.

const GREEN = 32;
const YELLOW = 33;
const RED = 31;
const CYAN = 36;

/** Each word that tells how things stand, with its SGR code. */
const COLOURS: ReadonlyMap<string, number> = new Map([
  ['MASTER', GREEN],
  ['BACKUP', CYAN],
  ['HELD', YELLOW],
  ['INIT', RED],
  ['MISSING', RED],
  ['UNKNOWN', YELLOW],
  ['WITHOUT', YELLOW],
  ['NOT', YELLOW],
  ['proved', GREEN],
  ['TWO MASTERS', RED],
  ['BAD', RED],
  ['digest good', GREEN],
  ['Missing:', RED],
  ['Warnings:', YELLOW],
]);

const WORDS = new RegExp(`(?<![\\w-])(?:${[...COLOURS.keys()].join('|')})(?![\\w-])`, 'g');

/** The text with those words in colour; its width on the screen stays as it is. */
export function inColour(text: string): string {
  return text.replace(WORDS, (word) => `\u001b[${COLOURS.get(word) ?? 0}m${word}\u001b[0m`);
}
