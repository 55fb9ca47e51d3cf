/** Restores on Kubernetes, behind the contract: each in a pod of its own, with a volume that goes with it. */
import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { noPrimary, noSuchRestore } from '../../../core/schedule/waiting.ts';
import { damagedFiles } from '../../../engine/pgbackrest/output.ts';
import { archiveUpToNow } from '../../../engine/postgres/archiveNow.ts';
import { SCRATCH_PORT } from '../../../engine/postgres/scratchConfig.ts';
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
  SwapOptions,
  SwapResult,
} from '../../contract.ts';
import type { ExecTarget } from '../api/exec.ts';
import { ARCHIVE_CONFIG, PGBACKREST } from '../objects/layout.ts';
import { MEMBER_CONTAINER } from '../objects/names.ts';
import { repositoriesOf } from '../objects/repositories.ts';
import { type MembersLive, RESTORE_ANNOTATION, restorePod } from '../objects/restorePod.ts';
import { primaryOf } from '../patroni/view.ts';
import { refuse } from '../remote/refused.ts';
import { PsqlSession } from '../sql/psqlSession.ts';
import type { KubeBackupInput } from './input.ts';
import { ownedBy } from './notes.ts';
import { checkPages, checkStructure } from './scratch/checks.ts';
import { copyBackup } from './scratch/copy.ts';
import { listScratches } from './scratch/list.ts';
import { type RestoreNote, toRecord } from './scratch/record.ts';
import { trySegment } from './scratch/segment.ts';
import { recover, stopServer } from './scratch/server.ts';
import { PLACES, RestoreShell } from './scratch/shell.ts';
import { copyTables } from './scratch/tables.ts';
import { bring } from './swap/bring.ts';
import { swapOf } from './swap/note.ts';
import { Pausing } from './swap/pausing.ts';
import { swapIn } from './swap/swap.ts';
import { sweepAside } from './swap/sweep.ts';
import { runTool } from './tool.ts';

const REQUEST_MS = 15_000;
const POD_MS = 300_000;
const READ_MS = 24 * 3_600_000;
const SWEEP_MS = 900_000;
/** Enough to act on. */
const NAMED_FILES = 10;

export class KubeRestores implements Restores {
  readonly #input: KubeBackupInput;
  readonly #pausing: Pausing;

  constructor(input: KubeBackupInput) {
    this.#input = input;
    this.#pausing = new Pausing(input);
  }

  prepare = (): never => refuse('a restore without a cluster');
  loadDump = (): never => refuse('loading a dump');

  async unfinishedSwap(): Promise<ScratchRecord | undefined> {
    const begun = swapOf(await this.#pausing.config(AbortSignal.timeout(REQUEST_MS)))?.scratch;
    return begun && toRecord(begun, this.#podName(begun.id));
  }

  async bring(scratch: ScratchRecord, context: ApplyContext): Promise<void> {
    if ((await this.unfinishedSwap()) !== undefined) return;
    const pod = this.#podName(scratch.id);
    const means = {
      input: this.#input,
      scratch: this.#shell(pod),
      member: (name: string) => this.#shell(name),
      session: (signal: AbortSignal) => this.#session(pod, 'postgres', signal),
    };
    await bring(means, scratch, context);
  }

  async swapIn(scratch: ScratchRecord, options: SwapOptions, context: ApplyContext): Promise<SwapResult> {
    const means = {
      input: this.#input,
      member: (name: string) => this.#shell(name),
      session: (member: string, signal: AbortSignal) => this.#session(member, 'postgres', signal),
      discard: (id: string, signal: AbortSignal) => this.discard(id, signal),
    };
    return await swapIn(means, scratch, options, context);
  }

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

  scratches(): Promise<ScratchRecord[]> {
    return listScratches(this.#input, AbortSignal.timeout(REQUEST_MS));
  }

  async open(id: string): Promise<Scratch> {
    const known = await this.scratches();
    const found = known.find(scratch => scratch.id === id && scratch.reached !== undefined);
    if (found === undefined) throw noSuchRestore(id, known);
    return this.#scratch(found, this.#podName(id));
  }

  async discard(id: string, signal: AbortSignal): Promise<void> {
    if (!/^[0-9a-f]{6}$/.test(id)) return;
    const { client, ref } = this.#input;
    await client.remove({ kind: 'Pod', namespace: ref.namespace, name: this.#podName(id) }, {}, signal);
  }

  /** What a process left that was killed. A whole restore waits for a person. */
  async sweep(now: Date): Promise<string[]> {
    const limit = AbortSignal.timeout(SWEEP_MS);
    const gone = await sweepAside(this.#pausing, name => this.#shell(name), now, limit);
    for (const { id, purpose, reached, directory } of await this.scratches()) {
      // What a process left that was killed. A whole restore waits for a person.
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
    const place = { repository, config: this.#configOf(repository), segment };
    return await trySegment(this.#input, this.#shell(primary.name), place, signal);
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
    throw noPrimary();
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
