// Removes dist before a build, so that a file whose source is gone cannot survive in it.
import { rmSync } from 'node:fs';

rmSync(new URL('../dist', import.meta.url), { recursive: true, force: true });
