// `carpd explain`: why one instance is what it is, as text or as the JSON that the daemon sent.
import { explainText } from '../report/explain-text.ts';
import type { InstanceReport } from '../report/report.ts';
import type { ExplainCommand } from './commands.ts';
import { ask, chosenInstance, HTTP_OK, shown } from './ask.ts';
import type { CommandOutcome } from './check.ts';

/** Asks the daemon about the instance. */
export async function explain(command: ExplainCommand): Promise<CommandOutcome> {
  const { json, socketPath } = command;
  const chosen = await chosenInstance('explain', command);
  if (!chosen.ok) return chosen.reason;
  return ask({
    socketPath,
    path: `/v1/explain/${encodeURIComponent(chosen.value)}`,
    show: ({ status, text }) => {
      if (status !== HTTP_OK) return undefined;
      return shown(json ? text : explainText(JSON.parse(text) as InstanceReport));
    },
  });
}
