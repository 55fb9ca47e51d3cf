/** Restores on this machine, behind the contract. */
import { chown, rm, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { StoredDump } from '../../../../core/schedule/dump.ts';
import { noPrimary, noSuchRestore } from '../../../../core/schedule/waiting.ts';
import { Session } from '../../../../engine/postgres/connection.ts';
import { SCRATCH_PORT } from '../../../../engine/postgres/scratchConfig.ts';
import type {
  ApplyContext,
  BackupContext,
  InsideTarget,
  RestoreOptions,
  Restores,
  Scratch,
  ScratchRecord,
  SegmentState,
  SqlSession,
  SwapOptions,
  SwapResult,
} from '../../../contract.ts';
import { memberName } from '../../layout.ts';
import { prepareDirectories } from '../../provision.ts';
import { sweepAside } from '../aside.ts';
import type { LocalBackupInput } from '../input.ts';
import { archiveNow } from './archiveNow.ts';
import { checkPages, checkStructure } from './checks.ts';
import { copyBackup, nameDamage, restoreCommand, trySegment } from './copy.ts';
import { loadDump } from './loadDump.ts';
import { openScratchSession, stopServer } from './process.ts';
import {
  newId,
  ownProcess,
  readScratch,
  type ScratchFile,
  type ScratchPaths,
  scratchIds,
  scratchPaths,
  toRecord,
  unreadable,
  writeScratch,
} from './record.ts';
import { makeRoom } from './room.ts';
import { recover, restartServer, type ServerInput } from './server.ts';
import { type SwapMeans, swapIn } from './swap.ts';
import { readSwap } from './swapFile.ts';
import { copyTables } from './tables.ts';

export interface LocalRestoresInput extends LocalBackupInput {
  inside(member: string): InsideTarget;
  /** What `swapIn` works with. */
  swapMeans(signal: AbortSignal): Promise<SwapMeans>;
  /** libpq's words and environment for the primary's endpoint. */
  primaryEndpoint(database: string): Promise<{ conninfo: string; env: Record<string, string> }>;
}

const STOP_MS = 120_000;
/** How long what a killed clone left is kept for it to be finished. */
const CLONE_MS = 86_400_000;
const STATEMENT_MS = 3_600_000;

export class LocalRestores implements Restores {
  readonly #input: LocalRestoresInput;

  constructor(input: LocalRestoresInput) {
    this.#input = input;
  }

  async prepare(): Promise<void> {
    await prepareDirectories(this.#input.paths, this.#input.record());
  }

  async archiveNow(signal: AbortSignal): Promise<boolean> {
    return await archiveNow(this.#input, signal);
  }

  async restoreInto(options: RestoreOptions, context: BackupContext): Promise<Scratch> {
    const { paths, record } = this.#input;
    const id = newId();
    const places = scratchPaths(paths, id);
    await makeRoom(places, { paths, record: record() }, options.databaseBytes);
    const file: ScratchFile = {
      schema: 1,
      id,
      purpose: options.purpose,
      createdAt: new Date().toISOString(),
      directory: places.root,
      socketDirectory: places.sockets,
      repository: options.repository,
      backup: options.backup,
      ...(options.target !== undefined && { target: options.target }),
      restoredMs: 0,
      replayedMs: 0,
      owner: await ownProcess(),
    };
    try {
      await writeScratch(places.file, file);
      const begun = performance.now();
      const processes = availableParallelism();
      await copyBackup(this.#input, options, { ...places, processes }, context);
      const copied = performance.now();
      const reached = await recover(this.#serverInput(places, options), context);
      const whole: ScratchFile = {
        ...file,
        reached,
        restoredMs: Math.round(copied - begun),
        replayedMs: Math.round(performance.now() - copied),
      };
      await writeScratch(places.file, whole);
      return await this.#scratch(whole, places);
    } catch (error) {
      await stopServer(places, AbortSignal.timeout(STOP_MS)).catch(() => {});
      await rm(places.root, { recursive: true, force: true });
      throw error;
    } finally {
      await chown(places.root, record().serviceUser.uid, record().serviceUser.gid).catch(() => {});
    }
  }

  async scratches(): Promise<ScratchRecord[]> {
    const { paths } = this.#input;
    const ids = await scratchIds(paths);
    const found = await Promise.all(
      ids.map(async id => (await readScratch(paths, id)) ?? unreadable(paths, id)),
    );
    const records = await Promise.all(found.map(toRecord));
    return records.sort((a, b) => a.createdAt.localeCompare(b.createdAt));
  }

  async open(id: string, signal: AbortSignal): Promise<Scratch> {
    const { paths, record } = this.#input;
    const file = await readScratch(paths, id);
    if (file?.reached === undefined) throw noSuchRestore(id, await this.scratches());
    const places = scratchPaths(paths, id);
    await restartServer(record(), places, signal);
    return await this.#scratch(file, places);
  }

  async discard(id: string, signal: AbortSignal): Promise<void> {
    const { paths } = this.#input;
    if (!/^[0-9a-f]{6}$/.test(id)) return;
    const places = scratchPaths(paths, id);
    await stopServer(places, signal);
    await rm(places.root, { recursive: true, force: true });
  }

  /** On one machine data are moved when they are put in place. */
  async bring(): Promise<void> {}

  async swapIn(scratch: ScratchRecord, options: SwapOptions, context: ApplyContext): Promise<SwapResult> {
    const means = await this.#input.swapMeans(context.signal);
    // Of another cluster perhaps: its record tells where.
    const root = join(scratch.directory, '..', '..');
    const places = {
      ...scratchPaths({ ...this.#input.paths, root }, scratch.id),
      sockets: scratch.socketDirectory,
    };
    return await swapIn(means, scratch, places, options, context);
  }

  async unfinishedSwap(): Promise<ScratchRecord | undefined> {
    return (await readSwap(this.#input.paths))?.scratch as ScratchRecord | undefined;
  }

  async sweep(now: Date): Promise<string[]> {
    const { paths } = this.#input;
    const gone = await sweepAside(paths, now);
    for (const { id, reached, owned, directory, purpose, createdAt } of await this.scratches()) {
      // What a process left that was killed. A whole restore waits for a person.
      if (owned || (reached !== undefined && purpose === 'restore')) continue;
      // A clone that was begun with it may be finished still.
      if (purpose === 'clone' && reached !== undefined && now.getTime() - Date.parse(createdAt) < CLONE_MS)
        continue;
      if ((await readSwap(paths))?.scratch.id === id) continue;
      await this.discard(id, AbortSignal.timeout(STOP_MS));
      gone.push(directory);
    }
    return gone;
  }

  async copyTables(
    scratch: Scratch,
    options: { database: string; tables: string[] },
    context: ApplyContext,
  ): Promise<void> {
    const endpoint = await this.#input.primaryEndpoint(options.database);
    await copyTables(
      this.#input.record(),
      scratchPaths(this.#input.paths, scratch.id),
      options,
      endpoint,
      context,
    );
  }

  async loadDump(
    dump: StoredDump,
    options: { database: string; into: string },
    context: ApplyContext,
  ): Promise<{ tables: number }> {
    const means = {
      session: (database: string) => this.primarySession(database, context.signal),
      endpoint: (database: string) => this.#input.primaryEndpoint(database),
    };
    return await loadDump(this.#input.record(), dump, options, means, context);
  }

  async primarySession(database: string, signal: AbortSignal): Promise<SqlSession> {
    const primary = await this.#input.primary(signal);
    if (primary === undefined) throw noPrimary();
    const { socketDirectory: host, port, user } = this.#input.inside(primary.name);
    const target = { host, port, user, database, password: '', ca: undefined, timeoutMs: STATEMENT_MS };
    return await Session.open(target, signal);
  }

  async nameDamage(repository: string, signal: AbortSignal): Promise<string[]> {
    return await nameDamage(this.#input, repository, signal);
  }

  async checkSegment(repository: string, segment: string, signal: AbortSignal): Promise<SegmentState> {
    const data = await this.#someData();
    return data === undefined ? 'unknown' : await trySegment(this.#input, data, repository, segment, signal);
  }

  /** A data directory of the cluster, in use or restored; undefined: there is none. */
  async #someData(): Promise<string | undefined> {
    const { paths, spec } = this.#input;
    const members = Array.from({ length: spec.instances }, (_, n) =>
      join(paths.data, memberName(spec, n), 'pgdata'),
    );
    const restored = (await scratchIds(paths)).map(id => scratchPaths(paths, id).data);
    for (const data of [...members, ...restored]) {
      if ((await stat(join(data, 'global', 'pg_control')).catch(() => undefined)) !== undefined) return data;
    }
    return undefined;
  }

  /** Ends every scratch's server, before the cluster is stopped or deleted. */
  async stopServers(signal: AbortSignal): Promise<void> {
    const { paths } = this.#input;
    for (const id of await scratchIds(paths)) await stopServer(scratchPaths(paths, id), signal);
  }

  #serverInput(places: ScratchPaths, options: RestoreOptions): ServerInput {
    const { record, spec } = this.#input;
    const { target, timeline, purpose, alone, repository } = options;
    return {
      record: record(),
      places,
      restoreCommand: restoreCommand(this.#input, places.data, alone ? repository : undefined),
      target,
      timeline,
      preload: spec.parameters.shared_preload_libraries,
      disposable: purpose === 'verify' || purpose === 'table',
    };
  }

  async #scratch(file: ScratchFile, places: ScratchPaths): Promise<Scratch> {
    const record = this.#input.record();
    const known = await toRecord(file);
    if (known.reached === undefined) throw new TypeError('only a whole scratch has a server');
    return {
      ...known,
      reached: known.reached,
      connection: { socketDirectory: places.sockets, port: SCRATCH_PORT, user: 'postgres' },
      session: (database, signal) => openScratchSession(places, database, signal),
      checkStructure: context => checkStructure(record, places, availableParallelism(), context),
      checkPages: async context => {
        await stopServer(places, context.signal);
        return await checkPages(record, places, context);
      },
    };
  }
}
