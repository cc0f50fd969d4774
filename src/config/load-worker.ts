// The thread that reads a configuration for a reload: it may take its time, or fail.
import { parentPort, workerData } from 'node:worker_threads';
import { packed } from './load-message.ts';
import { loadConfigFile } from './load.ts';
import { readRegularFile } from './read-file.ts';

const { message, transfer } = packed(loadConfigFile(String(workerData), readRegularFile));
parentPort?.postMessage(message, [...transfer]);
