// The findings as a user reads them, and as a script does. Pure.
import { counted } from '../base/text.ts';
import { GRADES, type Finding, type Grade } from './checks/finding.ts';

/** The width that lines keep to, where words allow it. */
const WIDTH = 79;
const MARKS: Readonly<Record<Grade, string>> = {
  failure: 'FAIL',
  warning: 'WARN',
  note: 'note',
  good: ' ok ',
};
const COLOURS: Readonly<Record<Grade, string>> = {
  failure: '\u001b[31m',
  warning: '\u001b[33m',
  note: '\u001b[36m',
  good: '\u001b[32m',
};
const PLAIN = '\u001b[0m';
const INDENT = ' '.repeat(7);

/** Whether a script should look: something is worse than a note. */
export function isFit(findings: readonly Finding[]): boolean {
  return findings.every(({ grade }) => grade === 'note' || grade === 'good');
}

/** By whom they concern, in the order of first mention; the worst first. */
export function reportText(findings: readonly Finding[], colour: boolean): string {
  const names = [...new Set(findings.map(({ about }) => about))];
  const blocks = names.map((name) => {
    const own = findings.filter(({ about }) => about === name);
    const sorted = GRADES.flatMap((grade) => own.filter((one) => one.grade === grade));
    return [name, ...sorted.flatMap((one) => lines(one, colour))].join('\n');
  });
  return `${blocks.join('\n\n')}\n\n${countText(findings)}\n`;
}

function countText(findings: readonly Finding[]): string {
  const count = (grade: Grade): number => findings.filter((one) => one.grade === grade).length;
  const [failures, warnings] = [count('failure'), count('warning')];
  if (failures + warnings === 0) return 'Nothing is in the way.';
  return `${counted(failures, 'failure')}, ${counted(warnings, 'warning')}.`;
}

function lines({ grade, text, remedy, code }: Finding, colour: boolean): readonly string[] {
  const mark = colour ? `${COLOURS[grade]}${MARKS[grade]}${PLAIN}` : MARKS[grade];
  const [first = '', ...rest] = wrap(`${text} [${code}]`);
  const advice = remedy === undefined ? [] : wrap(`-> ${remedy}`);
  return [`  ${mark} ${first}`, ...[...rest, ...advice].map((line) => `${INDENT}${line}`)];
}

function wrap(text: string): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && longer.length > WIDTH - INDENT.length) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}

/** One object: the findings as they are, and whether nothing is worse than a note. */
export function reportJson(findings: readonly Finding[]): string {
  const list = findings.map(({ remedy, ...rest }) => ({ ...rest, remedy: remedy ?? null }));
  return `${JSON.stringify({ fit: isFit(findings), findings: list }, undefined, 2)}\n`;
}
