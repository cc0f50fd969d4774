// The little of SVG that the pictures of the documents need. Every picture has a white ground of its
// own, so that it is readable on a light and on a dark page.

export const INK = '#24292f';
export const MUTED = '#57606a';
export const COLOURS = {
  INIT: '#d0d7de',
  HELD: '#9a6700',
  BACKUP: '#6e7781',
  MASTER: '#1a7f37',
  alarm: '#cf222e',
  sky: '#0969da',
  paper: '#f6f8fa',
  line: '#d0d7de',
} as const;

/** How words look; what is not given is plain, 13 units high, dark. */
export interface TextStyle {
  readonly size?: number;
  readonly bold?: boolean;
  readonly mono?: boolean;
  readonly fill?: string;
  readonly anchor?: 'start' | 'middle' | 'end';
}

/** A whole document; `label` is what a reader without the picture is told. */
export function picture(
  width: number,
  height: number,
  label: string,
  parts: readonly string[],
): string {
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img"`,
    `  aria-label="${escaped(label)}" font-family="sans-serif" font-size="13">`,
    '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8"',
    `  orient="auto"><path d="M0 0L10 5L0 10z" fill="${INK}"/></marker></defs>`,
    `<rect width="${width}" height="${height}" rx="8" fill="#ffffff" stroke="${COLOURS.line}"/>`,
    ...parts,
    '</svg>',
  ].join('\n')}\n`;
}

export function text(x: number, y: number, words: string, style: TextStyle = {}): string {
  const { size = 13, bold = false, mono = false, fill = INK, anchor = 'start' } = style;
  const looks = [
    `font-size="${size}"`,
    ...(bold ? ['font-weight="bold"'] : []),
    // Runs of spaces are part of a screen.
    ...(mono ? ['font-family="monospace"', 'xml:space="preserve"'] : []),
    ...(anchor === 'start' ? [] : [`text-anchor="${anchor}"`]),
  ].join(' ');
  return `<text x="${fixed(x)}" y="${fixed(y)}" ${looks} fill="${fill}">${escaped(words)}</text>`;
}

export function rect(
  x: number,
  y: number,
  width: number,
  height: number,
  fill: string,
  stroke = 'none',
): string {
  const place = `x="${fixed(x)}" y="${fixed(y)}" width="${fixed(width)}" height="${fixed(height)}"`;
  return `<rect ${place} rx="6" fill="${fill}" stroke="${stroke}"/>`;
}

/** A line through points "x,y x,y ...", with an arrow head at its end where wanted. */
export function line(points: readonly (readonly [number, number])[], arrow = false): string {
  const path = points.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${fixed(x)} ${fixed(y)}`);
  const tip = arrow ? ' marker-end="url(#tip)"' : '';
  return `<path d="${path.join('')}" fill="none" stroke="${INK}" stroke-width="1.4"${tip}/>`;
}

/** A number in a circle, by which words and an arrow belong together. */
export function badge(x: number, y: number, name: string): string {
  return [
    `<circle cx="${fixed(x)}" cy="${fixed(y)}" r="11" fill="${INK}"/>`,
    text(x, y + 4.5, name, { bold: true, fill: '#ffffff', anchor: 'middle' }),
  ].join('\n');
}

function fixed(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
