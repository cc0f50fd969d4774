// `carpd explain` and `carpd status`: what the running daemon says of its instances, as text or as
// the JSON that it sent.
import { explainText } from '../daemon/explain-text.ts';
import type { InstanceReport, StatusReport } from '../daemon/report.ts';
import { statusTable } from '../daemon/status-text.ts';
import type { ExplainCommand, StatusCommand } from './args.ts';
import type { CommandOutcome } from './check.ts';
import { askDaemon } from './control-client.ts';

const HTTP_OK = 200;
const HTTP_NOT_FOUND = 404;
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/** Why one instance is what it is. */
export function explain({ name, json, socketPath }: ExplainCommand): Promise<CommandOutcome> {
  const path = `/v1/explain/${encodeURIComponent(name)}`;
  return ask(socketPath, path, (text) => {
    return json ? text : explainText(JSON.parse(text) as InstanceReport);
  });
}

/** The table of all instances. */
export function status({ json, socketPath }: StatusCommand): Promise<CommandOutcome> {
  return ask(socketPath, '/v1/status', (text) => {
    return json ? text : statusTable(JSON.parse(text) as StatusReport);
  });
}

async function ask(
  socketPath: string,
  path: string,
  show: (text: string) => string,
): Promise<CommandOutcome> {
  const answer = await askDaemon(socketPath, path);
  if (!answer.ok) return complaint(answer.reason, EXIT_FAILED);
  const { status: code, text } = answer.value;
  try {
    if (code === HTTP_OK) return { stdout: show(text), stderr: '', exitCode: 0 };
    const { error } = JSON.parse(text) as { error: { message: string } };
    return complaint(error.message, code === HTTP_NOT_FOUND ? EXIT_USAGE : EXIT_FAILED);
  } catch {
    // A daemon of another version, or something that is no carpd.
    const what = `what answers at ${socketPath} does not speak as this version of carpd does`;
    return complaint(`${what}; restart the daemon, or give another --socket`, EXIT_FAILED);
  }
}

function complaint(text: string, exitCode: number): CommandOutcome {
  return { stdout: '', stderr: `carpd: ${text}\n`, exitCode };
}
