// `carpd explain`: why one instance is what it is, as text or as the JSON that the daemon sent.
import { explainText } from '../report/explain-text.ts';
import type { InstanceReport } from '../report/report.ts';
import type { ExplainCommand } from './commands.ts';
import { ask, HTTP_OK, shown } from './ask.ts';
import type { CommandOutcome } from './check.ts';

/** Asks the daemon about the instance. */
export function explain({ name, json, socketPath }: ExplainCommand): Promise<CommandOutcome> {
  return ask({
    socketPath,
    path: `/v1/explain/${encodeURIComponent(name)}`,
    show: ({ status, text }) => {
      if (status !== HTTP_OK) return undefined;
      return shown(json ? text : explainText(JSON.parse(text) as InstanceReport));
    },
  });
}
