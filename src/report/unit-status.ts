// The line that `systemctl status` shows of the daemon: what each instance is, and why it is held.
// Pure.
import type { InstanceReport } from './report.ts';
import { noteText } from './status-text.ts';
import { plainText } from '../base/text.ts';

/** systemctl shows a longer line, but nobody reads it. */
const CHARS_MAX = 240;

/** Such as "db MASTER, web HELD (lacp-missing)"; at least one instance, all that fit. */
export function unitStatus(instances: readonly InstanceReport[]): string {
  let text = '';
  for (const [index, report] of instances.entries()) {
    const note = noteText(report);
    const why = note === '' ? '' : ` (${note})`;
    const separator = index === 0 ? '' : ', ';
    const part = `${separator}${plainText(report.name)} ${report.state}${why}`;
    if (text !== '' && text.length + part.length > CHARS_MAX) {
      return `${text} and ${instances.length - index} more: carpd status`;
    }
    text += part;
  }
  return text;
}
