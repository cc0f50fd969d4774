// Keys that stand twice in one mapping. The parser compares each key with all before it, which
// takes minutes for a large mapping; this takes one look at each key.
import { isScalar, visit, type Document } from 'yaml';

/** Where each second key begins in the text, as an offset in characters. */
export function duplicateKeyOffsets(document: Document.Parsed): readonly number[] {
  const offsets: number[] = [];
  visit(document, {
    Map: (_, { items }) => {
      const seen = new Set<string>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        // As the plain data has it: 1 and "1" are one key there, and one value would be lost.
        const name = nameOf(key.value);
        if (seen.has(name)) offsets.push(key.range?.[0] ?? 0);
        seen.add(name);
      }
    },
  });
  return offsets;
}

function nameOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === null ? '' : JSON.stringify(value);
}
