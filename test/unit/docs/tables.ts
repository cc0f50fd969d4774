// Reads the tables of the documents that are held equal to the closed lists of the code.

/** The rows below a heading, each as its cells, without the backquotes of the first one. */
export function tableBelow(text: string, heading: string): readonly (readonly string[])[] {
  const [, section = ''] = text.split(`${heading}\n`);
  const [table = ''] = section.split('\n##');
  return table
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').slice(1, -1))
    .map(([name = '', ...cells]) => [
      name.trim().slice(1, -1),
      ...cells.map((cell) => cell.trim()),
    ]);
}
