/**
 * When the backup work of a cluster is looked at. The work itself is another process's: a share that hangs, or a
 * backup of hours, must not take the sentinel's threads and memory.
 */
import { parseMemory, SCHEDULE_MEMORY } from '../core/schedule/memory.ts';
import { messageOf } from '../lib/errors.ts';
import type { ClusterRef, PlatformCluster } from '../platform/contract.ts';

/** Does the due work of a cluster in a process of its own, and resolves when that has ended. */
export type RunChores = (ref: ClusterRef, signal: AbortSignal) => Promise<void>;

/** A cluster that has just been made has better things to do. */
const FIRST_LOOK_MS = 2 * 60_000;
/** The manifest may have changed, or this process may have been dead for days. */
const NEXT_LOOK_MS = 15_000;
/** At least so far apart, whatever the memory says. */
const PAUSE_MS = 10_000;
/** What ended badly has not noted when to look again. */
const AFTER_TROUBLE_MS = 5 * 60_000;
/** Nobody notes a look so far away: the clock was set back. */
const FARTHEST_MS = 2 * 24 * 3_600_000;

export class ChoreTimer {
  readonly #cluster: PlatformCluster;
  readonly #run: RunChores;
  readonly #signal: AbortSignal;
  readonly #report: (line: string) => void;
  /** No look before. */
  #notBefore: number | undefined;
  /** The first look is due whatever an earlier keeper has noted. */
  #first = true;
  #running = false;

  constructor(cluster: PlatformCluster, run: RunChores, signal: AbortSignal, report: (line: string) => void) {
    this.#cluster = cluster;
    this.#run = run;
    this.#signal = signal;
    this.#report = report;
  }

  /** Begins what is due, if it is time. Waits for nothing but a small file. */
  async look(now: Date): Promise<void> {
    if (this.#running) return;
    const noted = parseMemory(await this.#cluster.backups.memory.read(SCHEDULE_MEMORY)).look;
    this.#notBefore ??= now.getTime() + (noted === undefined ? FIRST_LOOK_MS : NEXT_LOOK_MS);
    if (now.getTime() < this.#notBefore) return;
    const ahead = noted === undefined ? 0 : Date.parse(noted) - now.getTime();
    if (!this.#first && ahead > 0 && ahead < FARTHEST_MS) return;
    this.#first = false;
    this.#running = true;
    void this.#work();
  }

  async #work(): Promise<void> {
    let pause = PAUSE_MS;
    try {
      await this.#run(this.#cluster.ref, this.#signal);
    } catch (error) {
      pause = AFTER_TROUBLE_MS;
      if (!this.#signal.aborted) this.#report(messageOf(error));
    }
    this.#notBefore = Date.now() + pause;
    this.#running = false;
  }
}
