// Writes the manual pages to man/: `npm run manuals`. A test holds them equal to their sources.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { manualPages } from './pages.ts';

mkdirSync('man', { recursive: true });
for (const [name, source] of manualPages()) writeFileSync(join('man', name), source);
