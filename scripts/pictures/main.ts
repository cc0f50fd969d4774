// Draws the pictures of the documents: `npm run pictures`.
import { writeFileSync } from 'node:fs';
import { pictures } from './pictures.ts';

for (const [path, svg] of pictures()) writeFileSync(path, svg);
