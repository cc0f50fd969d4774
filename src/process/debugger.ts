// Node's debugger, which runs any code for whoever connects. Before the first statement of carpd is
// reached, SIGUSR1 opens it.
import { close, url } from 'node:inspector';

/** Closes the debugger, unless whoever started this process has asked for it. */
export function closeDebugger(): void {
  const options = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''];
  if (url() !== undefined && !options.some((option) => option.includes('--inspect'))) close();
}
