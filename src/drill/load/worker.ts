/** The thread that a drill's load runs in, so that watching and reporting do not delay it. Started by ledgerLoad.ts. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { parentPort, workerData } from 'node:worker_threads';
import { endText, readText, sentText } from '../../core/drill/historyFile.ts';
import { Gate, type Recorder, runClient } from './client.ts';
import type { LoadPath } from './paths.ts';

export interface LoadInput {
  run: string;
  paths: LoadPath[];
  historyFile: string;
}

/** Told to the drill ten times a second. */
export interface LoadProgress {
  /** Acknowledged writes and answered reads so far, by path. */
  done: Record<string, number>;
  /** Unix milliseconds of the last one, by path. */
  lastAt: Record<string, number>;
  /** How often each SQLSTATE or system code was met. */
  errors: Record<string, number>;
}

const PROGRESS_EVERY_MS = 100;

const input = workerData as LoadInput;
const file = openSync(input.historyFile, 'a', 0o600);
const progress: LoadProgress = { done: {}, lastAt: {}, errors: {} };
const paths = new Map<string, string>();
let lastAcknowledged = '';
let stopped = false;

const count = (path: string, at: number) => {
  progress.done[path] = (progress.done[path] ?? 0) + 1;
  progress.lastAt[path] = at;
};
/** node-postgres has no code for its own timeouts and for a connection that just ended. */
const complain = (code = 'none') => {
  progress.errors[code] = (progress.errors[code] ?? 0) + 1;
};

const recorder: Recorder = {
  run: input.run,
  now: () => performance.timeOrigin + performance.now(),
  get lastAcknowledged() {
    return lastAcknowledged;
  },
  sent(write) {
    paths.set(write.id, write.path);
    writeSync(file, sentText(write));
  },
  ended(write) {
    writeSync(file, endText(write));
    const path = paths.get(write.id) ?? '';
    paths.delete(write.id);
    if (write.outcome === 'acknowledged') {
      lastAcknowledged = write.id;
      count(path, write.endedAt);
    } else complain(write.code);
  },
  read(read) {
    writeSync(file, readText(read));
    if (read.ok) count(read.path, read.endedAt);
    else complain(read.code);
  },
};

/** A login costs some ten milliseconds of both processors together. */
const gate = new Gate(6);
const timer = setInterval(() => parentPort?.postMessage(progress), PROGRESS_EVERY_MS);
parentPort?.once('message', () => {
  stopped = true;
});
const clients = input.paths.flatMap(path =>
  Array.from({ length: path.clients }, (_, slot) => runClient(path, slot, recorder, gate, () => stopped)),
);
await Promise.all(clients);
clearInterval(timer);
closeSync(file);
parentPort?.postMessage(progress);
parentPort?.close();
