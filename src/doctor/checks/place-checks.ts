// Whether the files and sockets that carpd needs are there, and the right people's. Pure.
import { counted } from '../../base/text.ts';
import { finding, type Finding } from './catalogue.ts';

/** A file as lstat(2) tells of it, links followed. */
export interface FileFacts {
  readonly path: string;
  /** Undefined: it is not there. */
  readonly mode: number | undefined;
  readonly isFile: boolean;
  readonly uid: number;
  /** Whether this process may run it. */
  readonly executable: boolean;
}

/** Where the daemon listens and keeps things; undefined: nowhere. */
export interface PlaceFacts {
  readonly controlSocket: string | undefined;
  /** Why the control socket can't be had; undefined: it can, or a carpd answers there. */
  readonly controlFault: string | undefined;
  readonly metrics: string | undefined;
  readonly metricsFault: string | undefined;
  readonly stateDirectory: string | undefined;
  readonly stateFault: string | undefined;
}

/** A daemon that answered on the control socket. */
export interface RunningDaemon {
  readonly pid: number;
  readonly states: readonly InstanceState[];
  /** Why it would refuse its file as it is now, read with its own rights; absent: it would not. */
  readonly refusals?: readonly string[] | undefined;
  /** What a reload of the file would change, a line each; absent: nothing. */
  readonly drift?: readonly string[] | undefined;
}

/** An instance as the daemon has it. */
export interface InstanceState {
  readonly name: string;
  readonly state: string;
  /** Why it can't take part. */
  readonly fault?: string | undefined;
  /** Why it is held, in words; absent: it is not. */
  readonly held?: string | undefined;
  readonly inMaintenance?: boolean | undefined;
}

const OTHERS_WRITE = 0o022;

/** Findings about the hooks of an instance. */
export function hookFindings(instance: string, hooks: readonly FileFacts[]): readonly Finding[] {
  return hooks.flatMap(({ path, mode, isFile, uid, executable }) => {
    if (mode === undefined || !isFile) {
      const what = mode === undefined ? 'is not there' : 'is no file';
      const remedy = 'correct hooks, or put the script there';
      return [finding('hook-missing', instance, `${path} ${what}`, remedy)];
    }
    const found: Finding[] = [];
    if (!executable) {
      const text = `${path} can not be run`;
      const remedy = `chmod 755 ${path}; a script begins with #!/bin/sh or the like`;
      found.push(finding('hook-not-executable', instance, text, remedy));
    }
    if ((mode & OTHERS_WRITE) !== 0 || uid !== 0) {
      const text = `${path} may be changed by others than root`;
      const remedy = `chown root ${path}; chmod go-w ${path}`;
      found.push(finding('hook-writable', instance, text, remedy));
    }
    return found;
  });
}

/** Findings about the daemon of this configuration, and where it listens and keeps things. */
export function placeFaults(
  places: PlaceFacts,
  running: RunningDaemon | undefined,
  configPath: string,
): readonly Finding[] {
  const found: Finding[] = [];
  if (running !== undefined) {
    const states = running.states.map(({ name, state }) => `${name} ${state}`).join(', ');
    found.push(finding('daemon-running', 'host', `process ${String(running.pid)}: ${states}`));
  } else {
    const remedy = `systemctl start carpd, or carpd run --config ${configPath}`;
    found.push(finding('daemon-absent', 'host', 'no carpd answers', remedy));
  }
  if (places.controlFault !== undefined) {
    const remedy = 'remove what is there, or give another control.socket';
    found.push(finding('control-unusable', 'host', places.controlFault, remedy));
  }
  if (places.metricsFault !== undefined) {
    const text = `${places.metrics ?? ''}: ${places.metricsFault}`;
    const remedy = 'give another metrics.listen, or end who has it';
    found.push(finding('metrics-unusable', 'host', text, remedy));
  }
  if (places.stateFault !== undefined) {
    const text = `${places.stateDirectory ?? ''}: ${places.stateFault}`;
    const remedy = 'make it, writable for the user that carpd runs as: maintenance is kept there';
    found.push(finding('state-unusable', 'host', text, remedy));
  }
  return found;
}

/** Whether the daemon could use the file as it is now, and whether it goes by it. */
export function fileFindings(
  names: readonly string[],
  running: RunningDaemon | undefined,
): readonly Finding[] {
  if (running === undefined) return [];
  const [refusal] = running.refusals ?? [];
  if (refusal !== undefined) {
    const text = `the carpd that runs can not use the file, nor could its next start: ${refusal}`;
    const remedy = 'correct that for the user that carpd runs as, then: carpd reload';
    return [finding('configuration-refused', 'host', text, remedy)];
  }
  const [first, ...others] = running.drift ?? [];
  // An instance that is not loaded is a finding of its own, with the same remedy.
  const isKnown = (name: string): boolean => running.states.some((one) => one.name === name);
  if (first === undefined || !names.every(isKnown)) return [];
  const more = others.length === 0 ? '' : ` (and ${counted(others.length, 'more line')})`;
  const text = `the carpd that runs goes by an older configuration: ${first}${more}`;
  const remedy = 'carpd check --diff says what differs and what it costs; carpd reload applies it';
  return [finding('configuration-drift', 'host', text, remedy)];
}

/** Findings about each instance of the configuration that the daemon does not serve. */
export function instanceFindings(
  names: readonly string[],
  running: RunningDaemon | undefined,
): readonly Finding[] {
  if (running === undefined) return [];
  return names.flatMap((name) => {
    const known = running.states.find((one) => one.name === name);
    if (known === undefined) {
      const text = 'the carpd that runs has read another configuration, without it';
      const remedy = 'carpd reload';
      return [finding('instance-unloaded', name, text, remedy)];
    }
    if (known.inMaintenance === true) {
      const text = 'maintenance is on: this node takes over from nobody';
      return [finding('instance-maintenance', name, text, `carpd maintenance off ${name} ends it`)];
    }
    if (known.state === 'HELD') {
      const text = `carpd is held and takes over from nobody: ${known.held ?? 'see its gate'}`;
      return [finding('instance-held', name, text, `carpd explain ${name}`)];
    }
    if (known.state !== 'INIT') return [];
    const text = `carpd can not take part: ${known.fault ?? 'its interface is not ready'}`;
    return [finding('instance-unfit', name, text, `carpd explain ${name}`)];
  });
}
