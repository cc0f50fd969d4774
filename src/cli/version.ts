// The version of the package that this file belongs to.
import { readFileSync } from 'node:fs';

/** As package.json has it. */
export function version(): string {
  // src/ and dist/ both lie beside package.json.
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return /"version": "([^"]+)"/.exec(text)?.[1] ?? 'unknown';
}
