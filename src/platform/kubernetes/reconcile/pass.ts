import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import { SqlError } from '../../../engine/postgres/connection.ts';
import { messageOf, PgherdError } from '../../../lib/errors.ts';
import type { LiveObject } from '../api/kinds.ts';
import { growVolumes } from '../children/volumes.ts';
import { hashOf } from '../objects/hash.ts';
import { ROLE_LABEL, TEMPLATE_HASH } from '../objects/labels.ts';
import { desiredDynamicConfig } from '../objects/patroni.ts';
import { formerPrimaries } from '../patroni/formerPrimaries.ts';
import { type PatroniView, primaryOf, viewOf } from '../patroni/view.ts';
import { patchSettings } from '../patroni/write.ts';
import type { Outcome } from '../queue/workQueue.ts';
import { decide, type RollStep } from '../roll/decide.ts';
import { syncDatabases } from '../sql/databases.ts';
import type { StatusInput, Trouble } from '../status/compute.ts';
import { act, MEMBER_CONTAINER } from './act.ts';
import { backupOf, seenOf } from './backup.ts';
import { OPERATOR_ANNOTATION } from './claim.ts';
import { type Memory, memoryOf, type Reconciler } from './context.ts';
import { FINALIZER, takeDown } from './deletion.ts';
import { readManifest } from './manifest.ts';
import { type ObjectsResult, syncObjects } from './objects.ts';
import { report } from './report.ts';

/** When to look again although nothing was seen to change: what runs out by itself has to be noticed. */
export const AGAIN = { settledMs: 30_000, waitingMs: 5_000, leaderMs: 2_000, changedMs: 500 };
/** Roles and databases are compared this often although neither manifest nor Secrets changed. */
const DATABASES_MS = 10 * 60_000;
/** So often in a row a primary may be away before that is worth a word. */
const PASSING_FAILURES = 5;

/** One look at one cluster, step by step. */
export class Pass {
  readonly #reconciler: Reconciler;
  readonly #cluster: LiveObject;
  readonly #key: string;
  readonly #signal: AbortSignal;
  readonly #memory: Memory;

  constructor(reconciler: Reconciler, cluster: LiveObject, key: string, signal: AbortSignal) {
    this.#reconciler = reconciler;
    this.#cluster = cluster;
    this.#key = key;
    this.#signal = signal;
    this.#memory = memoryOf(reconciler, key);
  }

  async run(): Promise<Outcome> {
    const spec = await this.#read();
    if (spec === undefined) return { kind: 'done', againMs: AGAIN.settledMs };
    await this.#claim();
    await this.#redirect();
    const objects = await this.#objects(spec);
    const volumes = await this.#volumes(spec);
    const view = this.#view();
    const step = this.#decide(spec, view, objects);
    const settings = await this.#settings(spec, view);
    // A changed configuration is seen by the members a moment later, and may ask for restarts.
    const acted = settings
      ? false
      : await act(step, {
          cluster: this.#cluster,
          labels: objects.labels,
          reconciler: this.#reconciler,
          memory: this.#memory,
          signal: this.#signal,
        });
    // While the primary is about to move or stop, a conversation with it would only break off.
    const calm = !acted && !view.switchoverPending;
    const databases = calm
      ? await this.#databases(spec, view, objects)
      : { settled: false, failure: undefined };
    const settled = objects.changes.length === 0 && !settings && databases.settled;
    await this.#report({
      spec,
      view,
      step,
      settled,
      failure: volumes ?? databases.failure ?? objects.trouble,
    });
    return { kind: 'done', againMs: this.#again(view, step, settled, acted || settings) };
  }

  /** One round of taking down what was deleted. */
  async end(): Promise<Outcome> {
    const { done, waitingFor } = await takeDown(this.#cluster, this.#reconciler, this.#signal);
    if (done) {
      this.#reconciler.memory.delete(this.#key);
      return { kind: 'done', againMs: undefined };
    }
    const step: RollStep = { kind: 'wait', reason: `waits for ${waitingFor}` };
    await this.#report({ spec: undefined, view: this.#view(), step, settled: false, failure: undefined });
    return { kind: 'done', againMs: AGAIN.waitingMs };
  }

  /** Says in the status what went wrong; never rejects. */
  async fail(error: unknown): Promise<void> {
    const { record } = this.#reconciler;
    const reason = error instanceof PgherdError ? camel(error.code) : 'InternalError';
    const parts =
      error instanceof PgherdError ? [error.message, error.detail, error.hint] : [messageOf(error)];
    const message = parts
      .filter(part => part !== undefined && part !== '')
      .join('; ')
      .slice(0, 1000);
    const failure: Trouble = { reason, message };
    await record(this.#cluster, { type: 'Warning', reason, message }, this.#signal);
    const spec = this.#memory.parsed?.spec;
    const step: RollStep = { kind: 'none' };
    await this.#report({ spec, view: this.#view(), step, settled: false, failure }).catch(() => {});
  }

  async #read(): Promise<ClusterSpec | undefined> {
    const { config, record } = this.#reconciler;
    const { generation = 0, labels, annotations } = this.#cluster.metadata;
    const version = hashOf([generation, labels, annotations]);
    const known = this.#memory.parsed;
    if (known !== undefined && known.version === version) return known.spec;
    const read = readManifest(this.#cluster, config);
    if (!read.ok) {
      await record(
        this.#cluster,
        { type: 'Warning', reason: 'InvalidSpec', message: read.trouble.message },
        this.#signal,
      );
      await this.#report({
        spec: this.#memory.parsed?.spec,
        view: this.#view(),
        step: { kind: 'none' },
        settled: false,
        failure: undefined,
        invalid: read.trouble,
      });
      return undefined;
    }
    for (const message of read.warnings) {
      await record(this.#cluster, { type: 'Warning', reason: 'ManifestWarning', message }, this.#signal);
    }
    this.#memory.parsed = { version, spec: read.spec };
    return read.spec;
  }

  /** Before anything is made: nobody else runs it, and it does not go before what it made is taken down. */
  async #claim(): Promise<void> {
    const { client, operatorId } = this.#reconciler;
    const { name, namespace, resourceVersion, annotations, finalizers = [] } = this.#cluster.metadata;
    const whole = finalizers.includes(FINALIZER) ? finalizers : [...finalizers, FINALIZER];
    if (whole === finalizers && annotations?.[OPERATOR_ANNOTATION] === operatorId) return;
    // Of two that see it unclaimed only one succeeds: the other one's version is old then.
    const metadata = {
      resourceVersion,
      finalizers: whole,
      annotations: { [OPERATOR_ANNOTATION]: operatorId },
    };
    await client.merge({ kind: 'postgresql', namespace, name }, { metadata }, this.#signal);
  }

  /** Clients are no longer sent to a primary that was replaced and cannot say so itself. */
  async #redirect(): Promise<void> {
    const { client, watched, record } = this.#reconciler;
    for (const pod of formerPrimaries(this.#view(), watched.children('Pod', this.#key))) {
      const { name, namespace, resourceVersion } = pod.metadata;
      const metadata = { resourceVersion, labels: { [ROLE_LABEL]: null } };
      await client.merge({ kind: 'Pod', namespace, name }, { metadata }, this.#signal);
      const message = `${name} is not the primary any more and did not say so: clients go to the new one`;
      await record(this.#cluster, { type: 'Warning', reason: 'PrimaryReplaced', message }, this.#signal);
    }
  }

  async #objects(spec: ClusterSpec): Promise<ObjectsResult> {
    const result = await syncObjects(this.#cluster, spec, this.#reconciler, this.#memory, this.#signal);
    // One Event for all of a kind: a new cluster has two dozen objects.
    const byWhat = Map.groupBy(result.changes, change => change.what);
    for (const [what, changes] of byWhat) {
      const names = changes.map(({ kind, name }) => `${kind} ${name}`).join(', ');
      const message = `${what}: ${names}`;
      await this.#reconciler.record(
        this.#cluster,
        { type: 'Normal', reason: camel(what), message },
        this.#signal,
      );
    }
    return result;
  }

  async #volumes(spec: ClusterSpec): Promise<Trouble | undefined> {
    const { client, watched, record } = this.#reconciler;
    const claims = watched
      .children('PersistentVolumeClaim', this.#key)
      .filter(claim => claim.metadata.name.startsWith(`pgdata-${this.#cluster.metadata.name}-`));
    const { grown, trouble } = await growVolumes(claims, spec.volume.sizeBytes, client, this.#signal);
    for (const name of grown) {
      const message = `${name} was asked to grow`;
      await record(this.#cluster, { type: 'Normal', reason: 'VolumeGrows', message }, this.#signal);
    }
    return trouble;
  }

  #view(): PatroniView {
    const { watched } = this.#reconciler;
    return viewOf({
      cluster: this.#cluster.metadata.name,
      hashAnnotation: TEMPLATE_HASH,
      pods: watched.children('Pod', this.#key),
      configMaps: watched.children('ConfigMap', this.#key),
      renewedAgoMs: watched.renewedAgoMs(this.#key, performance.now()),
    });
  }

  #decide(spec: ClusterSpec, view: PatroniView, { templateHash, replicas }: ObjectsResult): RollStep {
    return decide({
      view,
      templateHash,
      wanted: spec.instances,
      replicas,
      synchronousMode: spec.patroni.synchronousMode !== 'async' && spec.instances > 1,
      cordoned: this.#reconciler.watched.cordonedNodes(),
    });
  }

  /** Resolves with whether Patroni's configuration had to be changed. */
  async #settings(spec: ClusterSpec, view: PatroniView): Promise<boolean> {
    const { client, config, record } = this.#reconciler;
    const changed = await patchSettings(view, desiredDynamicConfig(spec, config), {
      client,
      namespace: this.#cluster.metadata.namespace ?? 'default',
      cluster: this.#cluster.metadata.name,
      labels: {},
      signal: this.#signal,
    });
    if (changed === undefined) return false;
    const message = `Patroni's configuration was changed: ${changed}`;
    await record(this.#cluster, { type: 'Normal', reason: 'Configured', message }, this.#signal);
    return true;
  }

  /** Only when something it depends on has changed, or after a while: it has to ask the primary. */
  async #databases(
    spec: ClusterSpec,
    view: PatroniView,
    { passwords }: ObjectsResult,
  ): Promise<{ settled: boolean; failure: Trouble | undefined }> {
    const primary = primaryOf(view);
    if (primary?.well !== true) return { settled: spec.instances === 0, failure: undefined };
    const fingerprint = hashOf([this.#memory.parsed?.version, [...passwords.byUser], primary.uid]);
    const known = this.#memory.databases;
    if (
      known !== undefined &&
      known.fingerprint === fingerprint &&
      performance.now() - known.at < DATABASES_MS
    ) {
      return { settled: true, failure: undefined };
    }
    const { client, record } = this.#reconciler;
    const target = {
      namespace: this.#cluster.metadata.namespace ?? 'default',
      pod: primary.name,
      container: MEMBER_CONTAINER,
    };
    try {
      const done = await syncDatabases({
        client,
        target,
        spec,
        passwords: passwords.byUser,
        signal: this.#signal,
      });
      for (const message of done) {
        await record(this.#cluster, { type: 'Normal', reason: 'DatabaseChanged', message }, this.#signal);
      }
    } catch (error) {
      this.#signal.throwIfAborted();
      this.#memory.databaseFailures += 1;
      // It went away meanwhile; whoever is primary then is asked again.
      const passing = this.#memory.databaseFailures < PASSING_FAILURES;
      if (
        passing &&
        (!(error instanceof SqlError) || error.sqlstate === undefined || /^(08|57)/.test(error.sqlstate))
      ) {
        return { settled: false, failure: undefined };
      }
      const { reason, message } = { reason: 'DatabaseFailed', message: messageOf(error) };
      await record(this.#cluster, { type: 'Warning', reason, message }, this.#signal);
      return { settled: false, failure: { reason, message } };
    }
    this.#memory.databaseFailures = 0;
    this.#memory.databases = { fingerprint, at: performance.now() };
    return { settled: true, failure: undefined };
  }

  #again(view: PatroniView, step: RollStep, settled: boolean, acted: boolean): number {
    if (acted) return AGAIN.changedMs;
    if (primaryOf(view)?.well !== true && view.members.length > 0) return AGAIN.leaderMs;
    return step.kind !== 'none' || !settled ? AGAIN.waitingMs : AGAIN.settledMs;
  }

  async #report(
    facts: Pick<StatusInput, 'view' | 'step' | 'settled' | 'failure'> & {
      spec: ClusterSpec | undefined;
      invalid?: Trouble;
    },
  ): Promise<void> {
    const { spec, invalid, ...rest } = facts;
    const { watched } = this.#reconciler;
    await report(
      this.#cluster,
      {
        ...rest,
        generation: this.#cluster.metadata.generation ?? 0,
        invalid,
        deleting: this.#cluster.metadata.deletionTimestamp !== undefined,
        wanted: spec?.instances ?? rest.view.members.length,
        synchronousMode: spec !== undefined && spec.patroni.synchronousMode !== 'async',
        backup: backupOf(seenOf(spec, watched, this.#key), this.#reconciler.now()),
      },
      this.#reconciler,
      this.#signal,
    );
  }
}

/** secret-incomplete → SecretIncomplete */
function camel(code: string): string {
  return code.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
}
