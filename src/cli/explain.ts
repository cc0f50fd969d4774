// `carpd explain`: why one instance is what it is, as text or as the JSON that the daemon sent.
import { inColour } from '../report/colour.ts';
import { explainText } from '../report/explain-text.ts';
import type { InstanceReport } from '../report/report.ts';
import type { ExplainCommand } from './commands.ts';
import { ask, chosenInstance, HTTP_OK, shown } from './ask.ts';
import { hasColour, localTime, type TerminalLike } from './screen.ts';
import type { CommandOutcome } from './check.ts';

/** Asks the daemon about the instance. */
export async function explain(
  command: ExplainCommand,
  screen: TerminalLike,
): Promise<CommandOutcome> {
  const { json, socketPath } = command;
  const chosen = await chosenInstance('explain', command);
  if (!chosen.ok) return chosen.reason;
  return ask({
    socketPath,
    path: `/v1/explain/${encodeURIComponent(chosen.value)}`,
    show: ({ status, text }) => {
      if (status !== HTTP_OK) return undefined;
      if (json) return shown(text);
      const explained = explainText(JSON.parse(text) as InstanceReport, localTime);
      return shown(hasColour(screen) ? inColour(explained) : explained);
    },
  });
}
