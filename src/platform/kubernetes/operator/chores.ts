import { tmpdir } from 'node:os';
import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import { parseMemory, SCHEDULE_MEMORY } from '../../../core/schedule/memory.ts';
import { messageOf } from '../../../lib/errors.ts';
import { LockedError } from '../../../lib/lock.ts';
import { sleep } from '../../../lib/time.ts';
import type { ApplyContext, PlatformCluster } from '../../contract.ts';
import type { LiveObject } from '../api/kinds.ts';
import { mayHaveGaps, TIMELINES } from '../backup/gaps.ts';
import { HEALTH, healthOf } from '../backup/health.ts';
import { readNote } from '../backup/notes.ts';
import { SWAP_ANNOTATION } from '../backup/swap/note.ts';
import { repositoryHostName } from '../objects/names.ts';
import { archives, wantsRepositoryHost } from '../objects/repositories.ts';
import { primaryOf } from '../patroni/view.ts';
import { OPERATOR_ANNOTATION } from '../reconcile/claim.ts';
import type { Reconciler } from '../reconcile/context.ts';
import { RemoteCluster } from '../remote/cluster.ts';

/** Does the backup work of a cluster that is due; resolves with what was done. */
export type DoChores = (
  cluster: PlatformCluster,
  context: ApplyContext,
) => Promise<{ what: string; failure: string | undefined }[]>;

const LOOK_EVERY_MS = 5000;
/** Clusters whose backup work is done at the same time. */
const CONCURRENCY = 4;
/** When something was in the way, or nothing is in the repositories yet. */
const SOON_MS = 60_000;
const NEW_MS = 20_000;
const LOCKED_MS = 5000;

/**
 * The backup work of all clusters, beside what the manifests ask for: it takes hours, and nothing else waits for it. What
 * is due is computed from the repositories at each look, so an operator that takes over goes on where another one ended.
 */
export class ChoreRounds {
  readonly #reconciler: Reconciler;
  readonly #chores: DoChores;
  readonly #report: (line: string) => void;
  readonly #running = new Map<string, Promise<void>>();
  /** Not before, by performance.now(). */
  readonly #notBefore = new Map<string, number>();

  constructor(reconciler: Reconciler, chores: DoChores, report: (line: string) => void) {
    this.#reconciler = reconciler;
    this.#chores = chores;
    this.#report = report;
  }

  /** Runs until the signal aborts; work under way ends with it. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (const cluster of this.#reconciler.watched.clusters()) {
        if (this.#running.size >= CONCURRENCY) break;
        const spec = this.#due(cluster);
        if (spec !== undefined) this.#start(cluster, spec, signal);
      }
      await sleep(LOOK_EVERY_MS, signal).catch(() => {});
    }
    await Promise.all(this.#running.values());
  }

  /** The manifest of a cluster whose turn it is. */
  #due(cluster: LiveObject): ClusterSpec | undefined {
    const { watched, memory, operatorId, now } = this.#reconciler;
    const { name, namespace = 'default', annotations, deletionTimestamp } = cluster.metadata;
    const key = `${namespace}/${name}`;
    const spec = memory.get(key)?.parsed?.spec;
    if (spec === undefined || !archives(spec) || spec.instances === 0 || deletionTimestamp !== undefined)
      return;
    if (annotations?.[OPERATOR_ANNOTATION] !== operatorId || this.#running.has(key)) return;
    if (performance.now() < (this.#notBefore.get(key) ?? 0)) return;
    // There is no primary until it is finished.
    const patroni = watched.find('ConfigMap', namespace, `${name}-config`);
    if (patroni?.metadata.annotations?.[SWAP_ANNOTATION] !== undefined) return spec;
    const notes = watched.find('ConfigMap', namespace, repositoryHostName(name));
    const { look } = parseMemory(readNote(notes, SCHEDULE_MEMORY));
    const looked = readNote(notes, HEALTH) !== undefined;
    const primary = primaryOf(watched.patroni(key));
    if (primary?.well !== true) return;
    // A new primary may have to archive what the old one had not.
    const gaps = mayHaveGaps(readNote(notes, TIMELINES), spec, primary.timeline);
    if (looked && !gaps && look !== undefined && Date.parse(look) > now().getTime()) return;
    if (!looked && wantsRepositoryHost(spec) && !this.#hostReady(namespace, name)) return;
    return spec;
  }

  #hostReady(namespace: string, cluster: string): boolean {
    const host = this.#reconciler.watched.find('StatefulSet', namespace, repositoryHostName(cluster));
    return ((host?.status ?? {}) as { readyReplicas?: number }).readyReplicas === 1;
  }

  #start(object: LiveObject, spec: ClusterSpec, signal: AbortSignal): void {
    const { name, namespace } = object.metadata;
    const key = `${namespace}/${name}`;
    const run = this.#run(object, spec, key, signal)
      .catch(error => {
        if (!signal.aborted) this.#report(`${key}: backup work: ${messageOf(error)}`);
        // Who holds the lock for a cutover may die with it, and nobody can write until it is finished.
        const againMs = error instanceof LockedError ? LOCKED_MS : SOON_MS;
        this.#notBefore.set(key, performance.now() + againMs);
      })
      .finally(() => this.#running.delete(key));
    this.#running.set(key, run);
  }

  async #run(object: LiveObject, spec: ClusterSpec, key: string, signal: AbortSignal): Promise<void> {
    const { client } = this.#reconciler;
    const nothing = { manifest: '', services: [], stateDir: tmpdir() };
    using cluster = new RemoteCluster({ client, object, spec: withoutDumps(spec), ...nothing });
    for (const message of await cluster.backups.closeGaps(signal)) {
      const entry = { actor: 'keeper', event: 'gap-closed', subject: 'archive', message };
      await cluster.journal.append({ ...entry, reason: 'the primary has changed' });
    }
    for (const { what, failure } of await this.#chores(cluster, { signal, progress: () => {} })) {
      this.#report(`${key}: ${what}: ${failure === undefined ? 'done' : `failed: ${failure}`}`);
    }
    const health = healthOf(await cluster.backups.observe({ archive: false }, signal));
    await cluster.backups.memory.write(HEALTH, health);
    const fine = health.repositories.every(({ state, backups }) => state === 'ready' && backups.length > 0);
    const fresh = health.repositories.every(({ backups }) => backups.length === 0);
    this.#notBefore.set(key, performance.now() + (fresh ? NEW_MS : SOON_MS));
    if (!fine && health.failures.length === 0) await this.#lookAgain(cluster, signal);
  }

  /** What is not ready is looked at again soon, not only when the schedule says so. */
  async #lookAgain(cluster: RemoteCluster, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const memory = parseMemory(await cluster.backups.memory.read(SCHEDULE_MEMORY));
    const look = this.#reconciler.now().toISOString();
    await cluster.backups.memory.write(SCHEDULE_MEMORY, { ...memory, look });
  }
}

/** Dumps are a CronJob here. */
function withoutDumps(spec: ClusterSpec): ClusterSpec {
  const { backup } = spec;
  return { ...spec, backup: { ...backup, logical: { ...backup.logical, enabled: false } } };
}
