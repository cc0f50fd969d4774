// Draws the pictures of the documents: `npm run pictures`. With --record it plays the runs first from
// which two of them are drawn, as root: `npm run build && sudo npm run pictures -- --record`.
import { writeFileSync } from 'node:fs';
import { pictures, RECORDS } from './pictures.ts';
import { recordExplain, recordTakeover } from './record.ts';

if (process.argv.includes('--record')) {
  writeFileSync(RECORDS.explain, await recordExplain());
  writeFileSync(RECORDS.takeover, `${JSON.stringify(await recordTakeover(), null, 2)}\n`);
}
for (const [path, svg] of pictures()) writeFileSync(path, svg);
