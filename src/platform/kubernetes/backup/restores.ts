/** Restores on Kubernetes, behind the contract: each in a pod of its own, with a volume that goes with it. */
import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { PgBackRestError } from '../../../engine/pgbackrest/errors.ts';
import { damagedFiles } from '../../../engine/pgbackrest/output.ts';
import { archiveUpToNow } from '../../../engine/postgres/archiveNow.ts';
import { SCRATCH_PORT } from '../../../engine/postgres/scratchConfig.ts';
import { RefusedError } from '../../../lib/errors.ts';
import { poll } from '../../../lib/time.ts';
import type {
  ApplyContext,
  BackupContext,
  RestoreOptions,
  Restores,
  Scratch,
  ScratchRecord,
  SegmentState,
  SqlSession,
} from '../../contract.ts';
import type { ExecTarget } from '../api/exec.ts';
import { APPLICATION_LABEL, CLUSTER_LABEL } from '../objects/labels.ts';
import { ARCHIVE_CONFIG, PGBACKREST } from '../objects/layout.ts';
import { MEMBER_CONTAINER } from '../objects/names.ts';
import { repositoriesOf } from '../objects/repositories.ts';
import {
  type MembersLive,
  RESTORE_ANNOTATION,
  RESTORE_APPLICATION,
  restorePod,
} from '../objects/restorePod.ts';
import { primaryOf } from '../patroni/view.ts';
import { refuse } from '../remote/refused.ts';
import { PsqlSession } from '../sql/psqlSession.ts';
import type { KubeBackupInput } from './input.ts';
import { ownedBy } from './notes.ts';
import { checkPages, checkStructure } from './scratch/checks.ts';
import { copyBackup } from './scratch/copy.ts';
import { type RestoreNote, recordOf, toRecord } from './scratch/record.ts';
import { recover, stopServer } from './scratch/server.ts';
import { PLACES, RestoreShell } from './scratch/shell.ts';
import { copyTables } from './scratch/tables.ts';
import { runTool } from './tool.ts';

const REQUEST_MS = 15_000;
const POD_MS = 300_000;
const READ_MS = 24 * 3_600_000;
const FETCH_MS = 120_000;
/** Enough to act on. */
const NAMED_FILES = 10;
/** Of archive-get: there is no such segment. */
const NO_SEGMENT = 1;

export class KubeRestores implements Restores {
  readonly #input: KubeBackupInput;

  constructor(input: KubeBackupInput) {
    this.#input = input;
  }

  prepare = (): never => refuse('a restore without a cluster');
  swapIn = (): never => refuse('a cutover');
  loadDump = (): never => refuse('loading a dump');

  async unfinishedSwap(): Promise<undefined> {}

  async archiveNow(signal: AbortSignal): Promise<boolean> {
    const primary = primaryOf(await this.#input.look(signal));
    if (primary === undefined) return false;
    try {
      await using session = await this.#session(primary.name, 'postgres', signal);
      return await archiveUpToNow(session, signal);
    } catch {
      signal.throwIfAborted();
      return false;
    }
  }

  async restoreInto(options: RestoreOptions, context: BackupContext): Promise<Scratch> {
    const { purpose, repository, backup, target } = options;
    const note: RestoreNote = {
      id: randomBytes(3).toString('hex'),
      purpose,
      createdAt: new Date().toISOString(),
      repository,
      backup,
      ...(target !== undefined && { target }),
      restoredMs: 0,
      replayedMs: 0,
    };
    const pod = this.#podName(note.id);
    try {
      await this.#makePod(pod, note, context);
      const begun = performance.now();
      await copyBackup(pod, this.#configOf(repository), options, this.#input, context);
      const copied = performance.now();
      const shell = this.#shell(pod);
      const reached = await recover(shell, this.#serverWish(options), context);
      const whole = {
        ...note,
        reached,
        restoredMs: Math.round(copied - begun),
        replayedMs: Math.round(performance.now() - copied),
      };
      const annotations = { [RESTORE_ANNOTATION]: JSON.stringify(whole) };
      const ref = { kind: 'Pod', namespace: this.#input.ref.namespace, name: pod } as const;
      await this.#input.client.merge(ref, { metadata: { annotations } }, context.signal);
      return this.#scratch(toRecord(whole, pod), pod);
    } catch (error) {
      await this.discard(note.id, AbortSignal.timeout(REQUEST_MS)).catch(() => {});
      throw error;
    }
  }

  async scratches(): Promise<ScratchRecord[]> {
    const { client, ref } = this.#input;
    const labelSelector = `${APPLICATION_LABEL}=${RESTORE_APPLICATION},${CLUSTER_LABEL}=${ref.name}`;
    const selection = { namespace: ref.namespace, labelSelector };
    const { items } = await client.list('Pod', selection, AbortSignal.timeout(REQUEST_MS));
    return items
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .flatMap(pod => recordOf(pod) ?? [])
      .sort((a, b) => a.createdAt.localeCompare(b.createdAt));
  }

  async open(id: string): Promise<Scratch> {
    const whole = (await this.scratches()).filter(({ reached }) => reached !== undefined);
    const found = whole.find(scratch => scratch.id === id);
    if (found !== undefined) return this.#scratch(found, this.#podName(id));
    throw new RefusedError({
      code: 'no-such-restore',
      message: `there is no restore "${id}" that could be used`,
      hint:
        whole.length === 0
          ? 'restore first: pgherd restore NAME --to TIME'
          : `restores: ${whole.map(other => other.id).join(', ')}`,
    });
  }

  async discard(id: string, signal: AbortSignal): Promise<void> {
    if (!/^[0-9a-f]{6}$/.test(id)) return;
    const { client, ref } = this.#input;
    await client.remove({ kind: 'Pod', namespace: ref.namespace, name: this.#podName(id) }, {}, signal);
  }

  /** What a process left that was killed. A whole restore waits for a person. */
  async sweep(): Promise<string[]> {
    const gone: string[] = [];
    for (const { id, purpose, reached, directory } of await this.scratches()) {
      if (reached !== undefined && purpose === 'restore') continue;
      await this.discard(id, AbortSignal.timeout(REQUEST_MS));
      gone.push(directory);
    }
    return gone;
  }

  async primarySession(database: string, signal: AbortSignal): Promise<SqlSession> {
    return await this.#session(await this.#primary(signal), database, signal);
  }

  async copyTables(
    scratch: Scratch,
    options: { database: string; tables: string[] },
    context: ApplyContext,
  ): Promise<void> {
    const from = this.#container(this.#podName(scratch.id));
    const into = this.#container(await this.#primary(context.signal));
    await copyTables(this.#input.client, { from, into }, options, context);
  }

  async nameDamage(repository: string, signal: AbortSignal): Promise<string[]> {
    const { stdout } = await runTool(this.#input, {
      args: ['verify', '--log-level-console=info'],
      pod: await this.#primary(signal),
      config: this.#configOf(repository),
      what: `reading ${repository}`,
      timeoutMs: READ_MS,
      signal,
    });
    return damagedFiles(stdout).slice(0, NAMED_FILES);
  }

  async checkSegment(repository: string, segment: string, signal: AbortSignal): Promise<SegmentState> {
    const primary = primaryOf(await this.#input.look(signal));
    if (primary === undefined) return 'unknown';
    try {
      await runTool(this.#input, {
        args: ['archive-get', segment, `/tmp/pgherd-segment-${randomBytes(3).toString('hex')}`],
        pod: primary.name,
        config: this.#configOf(repository),
        what: `segment ${segment} in ${repository}`,
        timeoutMs: FETCH_MS,
        signal,
      });
      return 'good';
    } catch (error) {
      if (!(error instanceof PgBackRestError)) throw error;
      return error.exitCode === NO_SEGMENT ? 'missing' : 'damaged';
    } finally {
      const shell = this.#shell(primary.name);
      await shell.try('rm -f /tmp/pgherd-segment-*', [], AbortSignal.timeout(REQUEST_MS)).catch(() => {});
    }
  }

  async #makePod(name: string, note: RestoreNote, context: BackupContext): Promise<void> {
    const { client, ref, owner } = this.#input;
    const { signal } = context;
    const members = await client.get({ kind: 'StatefulSet', ...ref }, signal);
    const pod = restorePod(ref, name, (members?.spec ?? {}) as MembersLive, {
      owner: ownedBy(owner),
      note: JSON.stringify(note),
    });
    await client.create(pod, signal);
    context.progress(`waiting for ${name}`);
    await poll(
      async inner => {
        const live = await client.get({ kind: 'Pod', namespace: ref.namespace, name }, inner);
        const { phase } = (live?.status ?? {}) as { phase?: string };
        return phase === 'Running' ? true : undefined;
      },
      {
        what: `${name} to run (kubectl describe pod tells what it waits for)`,
        timeoutMs: POD_MS,
        everyMs: 500,
        signal,
      },
    );
  }

  #serverWish({ target, timeline, purpose, alone, repository }: RestoreOptions) {
    const config = alone ? this.#configOf(repository) : ARCHIVE_CONFIG;
    const { spec } = this.#input;
    return {
      restoreCommand: `${PGBACKREST} --config=${config} --stanza=${spec.name} --pg1-path=${PLACES.data} archive-get %f "%p"`,
      target,
      timeline,
      preload: spec.parameters.shared_preload_libraries,
      disposable: purpose === 'verify' || purpose === 'table',
    };
  }

  #scratch(record: ScratchRecord, pod: string): Scratch {
    const { reached } = record;
    if (reached === undefined) throw new TypeError('only a whole scratch has a server');
    const shell = this.#shell(pod);
    return {
      ...record,
      reached,
      connection: {
        socketDirectory: record.socketDirectory,
        port: SCRATCH_PORT,
        user: 'postgres',
        prefix: ['kubectl', 'exec', '-it', '-n', this.#input.ref.namespace, pod, '--'],
      },
      session: (database, signal) => this.#session(pod, database, signal),
      checkStructure: ({ signal }) => checkStructure(shell, signal),
      checkPages: async ({ signal }) => {
        await stopServer(shell, signal);
        return await checkPages(shell, signal);
      },
    };
  }

  #session(pod: string, database: string, signal: AbortSignal): Promise<PsqlSession> {
    return PsqlSession.open(this.#input.client, this.#container(pod), database, signal);
  }

  async #primary(signal: AbortSignal): Promise<string> {
    const primary = primaryOf(await this.#input.look(signal));
    if (primary !== undefined) return primary.name;
    throw new RefusedError({
      code: 'no-primary',
      message: 'the cluster has no primary now',
      hint: 'see `pgherd status`',
    });
  }

  #shell(pod: string): RestoreShell {
    return new RestoreShell(this.#input.client, this.#container(pod));
  }

  #container(pod: string): ExecTarget {
    return { namespace: this.#input.ref.namespace, pod, container: MEMBER_CONTAINER };
  }

  #podName(id: string): string {
    return `${this.#input.ref.name}-restore-${id}`;
  }

  #configOf(repository: string): string {
    return repositoriesOf(this.#input.spec).find(({ name }) => name === repository)?.config ?? ARCHIVE_CONFIG;
  }
}
