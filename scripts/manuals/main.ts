// Writes what is made from the code: the tables of the documents, and of these and the help texts the
// manual pages in man/. `npm run manuals`; tests hold all of it equal to its sources.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { manualPages } from './pages.ts';
import { TABLES, withTables } from './tables.ts';

for (const [path, tables] of TABLES) {
  writeFileSync(path, withTables(readFileSync(path, 'utf8'), tables));
}
mkdirSync('man', { recursive: true });
for (const [name, source] of manualPages()) writeFileSync(join('man', name), source);
