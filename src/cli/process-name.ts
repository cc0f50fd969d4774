// The name that killall, pidof and pgrep know a process by; a Node program is "node" otherwise.
import { writeFileSync } from 'node:fs';

/** Names this process, its argument list untouched; Linux keeps the first 15 bytes (proc(5)). */
export function nameProcess(name: 'carpd' | 'ucarp'): void {
  try {
    writeFileSync('/proc/self/comm', name);
  } catch {
    // No /proc, or not to be written to: a convenience is missing, nothing else.
  }
}
