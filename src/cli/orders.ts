// `carpd handover` and `carpd maintenance`: orders to the running daemon, and what came of them.
import type { OrderResult } from '../events/catalogue/order-result.ts';
import type { InstanceReport, StatusReport } from '../report/report.ts';
import { plainText } from '../base/text.ts';
import type { HandoverCommand, MaintenanceCommand } from './commands.ts';
import {
  ask,
  chosenInstance,
  EXIT_FAILED,
  HTTP_CONFLICT,
  HTTP_OK,
  shown,
  unknownInstance,
} from './ask.ts';
import { localTime } from './screen.ts';
import { ok, type Result } from '../base/result.ts';
import type { CommandOutcome } from './check.ts';

/** The daemon answers sooner, whatever its hooks and peers do. */
const ANSWER_MS_MAX = 180_000;

/** Makes the instance, or all, step down, and waits until somebody has taken over. */
export async function handover(command: HandoverCommand): Promise<CommandOutcome> {
  const target = await targetOf(command);
  if (!target.ok) return target.reason;
  return order(command, '/v1/handover', { ...target.value, force: command.force });
}

/** Turns maintenance on or off, or shows how it is. */
export async function maintenance(command: MaintenanceCommand): Promise<CommandOutcome> {
  const { on, force } = command;
  if (on === undefined) return showMaintenance(command);
  const target = await targetOf(command);
  if (!target.ok) return target.reason;
  return order(command, '/v1/maintenance', { on, ...target.value, force });
}

type Target = { readonly name: string } | { readonly all: true };

async function targetOf(
  command: HandoverCommand | MaintenanceCommand,
): Promise<Result<Target, CommandOutcome>> {
  if (command.all) return ok({ all: true });
  const chosen = await chosenInstance(command.kind, command);
  return chosen.ok ? ok({ name: chosen.value }) : chosen;
}

function order(
  { json, socketPath }: HandoverCommand | MaintenanceCommand,
  path: string,
  body: object,
): Promise<CommandOutcome> {
  return ask({
    socketPath,
    path,
    body,
    withinMs: ANSWER_MS_MAX,
    show: ({ status, text }) => {
      if (status !== HTTP_OK && status !== HTTP_CONFLICT) return undefined;
      const { results } = JSON.parse(text) as { results: readonly OrderResult[] };
      const exitCode = results.every(isDone) ? 0 : EXIT_FAILED;
      if (json) return { stdout: text, stderr: '', exitCode };
      const stdout = results.filter(isDone).map((one) => `${line(one)}\n`);
      const stderr = results.filter((one) => !isDone(one)).map((one) => `carpd: ${line(one)}\n`);
      return { stdout: stdout.join(''), stderr: stderr.join(''), exitCode };
    },
  });
}

function isDone({ outcome }: OrderResult): boolean {
  return outcome === 'done';
}

function line({ name, message }: OrderResult): string {
  return plainText(`${name}: ${message}`);
}

function showMaintenance(command: MaintenanceCommand): Promise<CommandOutcome> {
  const { name, json, socketPath } = command;
  return ask({
    socketPath,
    path: '/v1/status',
    show: ({ status, text }) => {
      if (status !== HTTP_OK) return undefined;
      const { instances } = JSON.parse(text) as StatusReport;
      const wanted = instances.filter((one) => name === undefined || one.name === name);
      if (name !== undefined && wanted.length === 0) return unknownInstance(name, instances);
      if (!json) return shown(wanted.map((one) => `${maintenanceLine(one)}\n`).join(''));
      const all = Object.fromEntries(wanted.map((one) => [one.name, one.maintenance]));
      return shown(`${JSON.stringify({ instances: all })}\n`);
    },
  });
}

function maintenanceLine({ name, state, maintenance: entry }: InstanceReport): string {
  if (entry === null) return `${name}: maintenance is off; it is ${state}`;
  const since = `since ${localTime(entry.since)}`;
  const why = entry.cause === 'unreadable' ? ', as the record of it could not be read' : '';
  return `${name}: maintenance is on ${since}${why}; it is ${state}`;
}
