// The ports of a daemon that runs for real: this process, and the host it runs on.
import { randomBytes, randomInt } from 'node:crypto';
import { runtimeDirectory } from '../config/service-environment.ts';
import { openControl } from '../control/server.ts';
import { hasRivalDaemon, readFirewall } from '../doctor/facts/host.ts';
import { readGateways } from '../linux/links/gateways.ts';
import { openLinkWatch } from '../linux/links/link-watch.ts';
import { readNeighbours } from '../linux/links/neighbours.ts';
import { secondaryPromotion } from '../linux/links/promote-secondaries.ts';
import { filtersStrictly, wayBackTo } from '../linux/links/reverse-path.ts';
import { openCarpSocket } from '../linux/sockets/carp-socket.ts';
import { openClaimWatch } from '../linux/sockets/claim-watch.ts';
import { openFrameWitness } from '../linux/sockets/frame-witness.ts';
import { groupHolder, isServedElsewhere, lockGroup } from '../linux/sockets/group-lock.ts';
import { openPacketSocket } from '../linux/sockets/packet-socket.ts';
import { openMetrics } from '../metrics/server.ts';
import { nextTurn, now, startTimer, wallMs } from '../linux/system/clock.ts';
import { runCommand } from '../linux/system/command.ts';
import { findServiceManager } from '../linux/system/service-manager.ts';
import { maintenanceFile } from '../state/maintenance-file.ts';
import { releaseRecords } from '../state/release-records.ts';
import { servedRecord } from '../state/served-record.ts';
import { hookEnvironment } from '../vip/hooks.ts';
import type { Ports } from '../ports/ports.ts';

const COUNTER_BYTES = 8;
const IDENTIFICATIONS = 0x10000;

/** Those of this process as it is now: its environment and its user are read here, once. */
export function realPorts(): Ports {
  const directory = runtimeDirectory(process.env);
  return {
    ...{ now, startTimer, nextTurn, wallMs },
    randomCounter: () => randomBytes(COUNTER_BYTES).readBigUInt64BE(),
    randomIdentification: () => randomInt(IDENTIFICATIONS),
    ...{ openCarpSocket, openPacketSocket },
    openFrameWitness: (options) => openFrameWitness(options),
    openClaimWatch: (options) => openClaimWatch(options),
    ...{ openLinkWatch, lockGroup, groupHolder, isServedElsewhere, readGateways, readNeighbours },
    ...{ filtersStrictly, wayBackTo, readFirewall },
    promotion: secondaryPromotion,
    runCommand,
    env: hookEnvironment(process.env),
    pid: process.pid,
    isRoot: process.geteuid?.() === 0,
    hasRivalDaemon,
    serviceManager: findServiceManager(),
    maintenanceStore: maintenanceFile,
    servedStore: servedRecord,
    releaseStore: directory === undefined ? undefined : releaseRecords(directory),
    ...{ openControl, openMetrics },
  };
}
