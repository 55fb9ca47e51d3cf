import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import { describeWindows } from '../../../core/schedule/maintenance.ts';
import { messageOf, PgherdError } from '../../../lib/errors.ts';
import type { ApiForbiddenError } from '../api/errors.ts';
import type { LiveObject } from '../api/kinds.ts';
import { lostVolumes } from '../children/volumes.ts';
import { hashOf } from '../objects/hash.ts';
import { ROLE_LABEL } from '../objects/labels.ts';
import { desiredDynamicConfig } from '../objects/patroni.ts';
import { formerPrimaries } from '../patroni/formerPrimaries.ts';
import { type PatroniView, primaryOf } from '../patroni/view.ts';
import { patchSettings } from '../patroni/write.ts';
import type { Outcome } from '../queue/workQueue.ts';
import { decide, type RollStep } from '../roll/decide.ts';
import type { StatusInput, Trouble } from '../status/compute.ts';
import { act } from './act.ts';
import { backupOf, seenOf } from './backup.ts';
import { reloadCertificates } from './certificates.ts';
import { OPERATOR_ANNOTATION } from './claim.ts';
import { type Memory, memoryOf, type Reconciler, type Tools } from './context.ts';
import { lookAtDatabases } from './databases.ts';
import { FINALIZER, takeDown } from './deletion.ts';
import { judgeAddresses } from './loadBalancers.ts';
import { readManifest } from './manifest.ts';
import { type ObjectsResult, syncObjects } from './objects.ts';
import { report, reportBlind } from './report.ts';
import { dataVolumes, growing, syncVolumes } from './volumes.ts';

/** When to look again although nothing was seen to change: what runs out by itself has to be noticed. */
export const AGAIN = {
  settledMs: 30_000,
  waitingMs: 5_000,
  leaderMs: 2_000,
  readingMs: 15_000,
  changedMs: 500,
};

/** Only after so many rounds of Patroni do members say whether a changed configuration needs restarts. */
const READ_ROUNDS = 2.5;

const NOTHING = { failure: undefined, postponed: undefined };

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
    await judgeAddresses(this.#cluster, spec, this.#tools);
    const volumes = await syncVolumes(this.#cluster, spec, this.#reconciler, this.#signal);
    const view = this.#view();
    this.#guard(spec, view);
    const step = this.#decide(spec, view, objects);
    const settings = await this.#settings(spec, view);
    // A changed configuration is seen by the members a moment later, and may ask for restarts.
    const acted = settings
      ? false
      : await act(step, {
          cluster: this.#cluster,
          spec,
          ...this.#tools,
        });
    // While the primary is about to move or stop, a conversation with it would only break off.
    const calm = !acted && !view.switchoverPending;
    const databases = calm
      ? await lookAtDatabases(this.#cluster, spec, view, objects.passwords, this.#tools)
      : { settled: false, failure: undefined };
    const reading = calm && (await this.#certificates(spec));
    const unread = settings || performance.now() - this.#memory.configuredAt < READ_ROUNDS * roundMs(view);
    const settled = objects.changes.length === 0 && !unread && databases.settled;
    await this.#report({
      spec,
      view,
      step,
      settled,
      failure: volumes ?? databases.failure ?? objects.trouble,
      postponed: await this.#postponed(spec, objects),
    });
    const againMs = this.#again(view, step, settled, acted || settings);
    return { kind: 'done', againMs: reading ? Math.min(againMs, AGAIN.readingMs) : againMs };
  }

  /** One round of taking down what was deleted. */
  async end(): Promise<Outcome> {
    this.#reconciler.sentinels.drop(this.#key);
    const { done, waitingFor } = await takeDown(this.#cluster, this.#reconciler, this.#signal);
    if (done) {
      this.#reconciler.memory.delete(this.#key);
      return { kind: 'done', againMs: undefined };
    }
    const step: RollStep = { kind: 'wait', reason: `waits for ${waitingFor}` };
    await this.#report({ spec: undefined, view: this.#view(), step, settled: false, ...NOTHING });
    return { kind: 'done', againMs: AGAIN.waitingMs };
  }

  /** Says in the status what went wrong; never rejects. */
  async fail(error: unknown): Promise<void> {
    const failure = await this.#warn(error);
    const spec = this.#memory.parsed?.spec;
    const step: RollStep = { kind: 'none' };
    await this.#report({ spec, view: this.#view(), step, settled: false, ...NOTHING, failure }).catch(
      () => {},
    );
  }

  /** Says what we may not see. What is known of the cluster is old: nothing is done or said about its members. */
  async blind(error: ApiForbiddenError): Promise<void> {
    const trouble = await this.#warn(error);
    await reportBlind(this.#cluster, trouble, this.#reconciler, this.#signal);
  }

  async #warn(error: unknown): Promise<Trouble> {
    const reason = error instanceof PgherdError ? camel(error.code) : 'InternalError';
    const parts =
      error instanceof PgherdError ? [error.message, error.detail, error.hint] : [messageOf(error)];
    const message = parts
      .filter(part => part !== undefined && part !== '')
      .join('; ')
      .slice(0, 1000);
    await this.#reconciler.record(this.#cluster, { type: 'Warning', reason, message }, this.#signal);
    return { reason, message };
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
        ...NOTHING,
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

  /** Says once that the operator's own changes of pods wait for a window. */
  async #postponed(spec: ClusterSpec, { held }: ObjectsResult): Promise<string | undefined> {
    const before = this.#memory.postponed;
    this.#memory.postponed = held
      ? `changes of the operator itself wait for a maintenance window (${describeWindows(spec.maintenanceWindows)})`
      : undefined;
    const message = this.#memory.postponed;
    if (message !== undefined && message !== before) {
      const facts = { type: 'Normal', reason: 'RollPostponed', message } as const;
      await this.#reconciler.record(this.#cluster, facts, this.#signal);
    }
    return message;
  }

  /** Once it lives: before, a primary that does not answer is no news. */
  #guard(spec: ClusterSpec, view: PatroniView): void {
    const version = this.#memory.parsed?.version ?? '';
    if (primaryOf(view)?.well === true) {
      this.#reconciler.sentinels.keep(this.#key, version, this.#cluster, spec);
    }
  }

  #view(): PatroniView {
    return this.#reconciler.watched.patroni(this.#key);
  }

  #decide(spec: ClusterSpec, view: PatroniView, { templateHash, replicas }: ObjectsResult): RollStep {
    const claims = dataVolumes(this.#cluster, this.#reconciler);
    const step = decide({
      view,
      templateHash,
      wanted: spec.instances,
      replicas,
      synchronousMode: spec.patroni.synchronousMode !== 'async' && spec.instances > 1,
      cordoned: this.#reconciler.watched.cordonedNodes(),
      lostVolumes: lostVolumes(claims, view.members),
    });
    const slow = step.kind === 'none' ? growing(claims) : undefined;
    return slow === undefined ? step : { kind: 'wait', reason: slow };
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
    this.#memory.configuredAt = performance.now();
    const message = `Patroni's configuration was changed: ${changed}`;
    await record(this.#cluster, { type: 'Normal', reason: 'Configured', message }, this.#signal);
    return true;
  }

  /** Resolves with whether some server has yet to read certificates that changed. */
  #certificates(spec: ClusterSpec): Promise<boolean> {
    return reloadCertificates(this.#cluster, spec, this.#tools);
  }

  get #tools(): Tools {
    return { reconciler: this.#reconciler, memory: this.#memory, signal: this.#signal };
  }

  #again(view: PatroniView, step: RollStep, settled: boolean, acted: boolean): number {
    if (acted) return AGAIN.changedMs;
    if (primaryOf(view)?.well !== true && view.members.length > 0) return AGAIN.leaderMs;
    return step.kind !== 'none' || !settled ? AGAIN.waitingMs : AGAIN.settledMs;
  }

  async #report(
    facts: Pick<StatusInput, 'view' | 'step' | 'settled' | 'failure' | 'postponed'> & {
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

function roundMs({ config }: PatroniView): number {
  return (config?.loop_wait ?? 10) * 1000;
}

/** secret-incomplete → SecretIncomplete */
function camel(code: string): string {
  return code.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
}
