/** The load of a drill, from outside its thread. */
import { readFile } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { type History, parseHistory } from '../../core/drill/historyFile.ts';
import { PgherdError } from '../../lib/errors.ts';
import { poll } from '../../lib/time.ts';
import { INSIDE, type LoadPath } from './paths.ts';
import type { LoadInput, LoadProgress } from './worker.ts';

/** Writes under way are given up by themselves after 20 s. */
const STOP_MS = 30_000;

export class LedgerLoad implements AsyncDisposable {
  readonly paths: readonly LoadPath[];
  readonly #historyFile: string;
  readonly #worker: Worker;
  readonly #ended: Promise<void>;
  #progress: LoadProgress = { done: {}, lastAt: {}, errors: {} };
  #failure: unknown;

  /** Begins at once. */
  constructor(input: LoadInput) {
    this.paths = input.paths;
    this.#historyFile = input.historyFile;
    this.#worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: input });
    this.#worker.on('message', (progress: LoadProgress) => {
      this.#progress = progress;
    });
    this.#worker.on('error', error => {
      this.#failure = error;
    });
    this.#ended = new Promise(resolve => this.#worker.once('exit', () => resolve()));
  }

  get progress(): LoadProgress {
    return this.#progress;
  }

  /** Names of the paths that applications take. */
  endpointPaths(kind: LoadPath['kind']): string[] {
    return this.paths
      .filter(path => path.kind === kind && !path.name.startsWith(INSIDE))
      .map(path => path.name);
  }

  /** Waits until each of the paths has got an answer that was asked for from now on. */
  async untilAnswered(paths: readonly string[], timeoutMs: number, signal: AbortSignal): Promise<void> {
    const from = { ...this.#progress.done };
    await poll(
      async () => {
        this.#check();
        const silent = paths.filter(path => (this.#progress.done[path] ?? 0) <= (from[path] ?? 0) + 1);
        if (silent.length > 0) throw new Error(`no answer yet: ${silent.join('; ')}`);
        return true;
      },
      { what: 'the load to be answered on each of its paths', timeoutMs, everyMs: 50, signal },
    );
  }

  /** What was recorded up to now. */
  async sofar(): Promise<History> {
    return parseHistory(await readFile(this.#historyFile, 'utf8'));
  }

  /** Ends the load in order and reads what it recorded. */
  async stop(): Promise<History> {
    this.#worker.postMessage('stop');
    const timer = setTimeout(() => void this.#worker.terminate(), STOP_MS);
    await this.#ended;
    clearTimeout(timer);
    this.#check();
    return parseHistory(await readFile(this.#historyFile, 'utf8'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }

  #check(): void {
    if (this.#failure === undefined) return;
    throw new PgherdError({
      code: 'load-failed',
      message: 'the load of the drill ended by itself: nothing can be said of the cluster',
      cause: this.#failure,
    });
  }
}
