// The keys of plain data as paths, with the types they were seen with: what a table of a JSON
// document lists.

/** By paths such as "peers[].address": text, number, boolean, list, object, null. */
export type Shapes = ReadonlyMap<string, ReadonlySet<string>>;

/** Everything that stands in `values`. */
export function jsonShapes(values: Iterable<unknown>): Shapes {
  const shapes = new Map<string, Set<string>>();
  for (const value of values) collect(value, '', shapes);
  return shapes;
}

function collect(value: unknown, path: string, into: Map<string, Set<string>>): void {
  if (Array.isArray(value)) {
    for (const item of value) collect(item, `${path}[]`, into);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    const at = path === '' ? key : `${path}.${key}`;
    const types = into.get(at) ?? new Set();
    into.set(at, types.add(typeText(inner)));
    collect(inner, at, into);
  }
}

function typeText(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'list';
  return typeof value === 'string' ? 'text' : typeof value;
}
