// `carpd reload` and `carpd check --diff`: what a reload changes and what that costs.
import { plainText } from '../base/text.ts';
import type { CommandOutcome } from './check.ts';
import type { ReloadCommand } from './commands.ts';
import { ask, EXIT_FAILED, HTTP_CONFLICT, HTTP_OK } from './ask.ts';

/** The file is read within a minute, and each master that restarts hands over. */
const ANSWER_MS_MAX = 240_000;

/** Has the daemon read its file again, or say what that would do; fails where it is refused. */
export function reload({
  socketPath,
  dryRun,
}: Pick<ReloadCommand, 'socketPath' | 'dryRun'>): Promise<CommandOutcome> {
  return ask({
    socketPath,
    path: '/v1/reload',
    body: { dryRun },
    withinMs: ANSWER_MS_MAX,
    show: ({ status, text }) => {
      if (status === HTTP_CONFLICT) return refused(text);
      if (status !== HTTP_OK) return undefined;
      const { lines } = JSON.parse(text) as { lines: readonly string[] };
      const stdout = lines.map((line) => `${plainText(line)}\n`).join('');
      return { stdout, stderr: '', exitCode: 0 };
    },
  });
}

function refused(text: string): CommandOutcome {
  const { error } = JSON.parse(text) as { error: { faults: readonly string[] } };
  const lines = error.faults.map((fault) => `carpd: ${plainText(fault)}\n`);
  const rest = 'carpd: nothing was changed: the old configuration stays in force\n';
  return { stdout: '', stderr: lines.join('') + rest, exitCode: EXIT_FAILED };
}
