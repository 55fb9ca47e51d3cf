/** Physical backups on this machine, behind the contract. */
import { mkdir } from 'node:fs/promises';
import type {
  ArchiverFacts,
  BackupObservation,
  BackupSet,
  BackupType,
  KeyFacts,
} from '../../../core/schedule/facts.ts';
import { failedWork, parseMemory, SCHEDULE_MEMORY } from '../../../core/schedule/memory.ts';
import { PROOFS, parseProofs } from '../../../core/schedule/proof.ts';
import type { MemberObservation } from '../../../core/topology/observation.ts';
import { RefusedError } from '../../../lib/errors.ts';
import { readIfExists } from '../../../lib/files.ts';
import { LockedError, takeLock } from '../../../lib/lock.ts';
import type { ApplyContext, BackupContext, BackupMemory, Backups, Expired } from '../../contract.ts';
import { archiverFacts } from './archiver.ts';
import { listAside } from './aside.ts';
import { endArchiver } from './endArchiver.ts';
import { closeGaps } from './gaps.ts';
import type { LocalBackupInput } from './input.ts';
import { BackupKey } from './key.ts';
import { FileMemory } from './memory.ts';
import { observeRepository } from './observe.ts';
import { type BackupPaths, backupPaths } from './paths.ts';
import { prepareFiles, provisionRepositories, readKnown } from './provision.ts';
import { type Repository, repositoriesOf } from './repositories.ts';
import { readRestoreFacts } from './restore/waiting.ts';
import { expireBackups, takeBackup } from './take.ts';

/** Of segments of which no server tells the size. */
const USUAL_SEGMENT_BYTES = 16 * 1024 * 1024;

export class LocalBackups implements Backups {
  readonly memory: BackupMemory;
  readonly #input: LocalBackupInput;
  readonly #paths: BackupPaths;
  readonly #key: BackupKey;
  readonly #repositories: Repository[];

  constructor(input: LocalBackupInput) {
    this.#input = input;
    this.#paths = backupPaths(input.paths);
    this.#key = new BackupKey(this.#paths.key);
    this.#repositories = repositoriesOf(input.spec, input.paths);
    this.memory = new FileMemory(this.#paths.memory);
  }

  get repositories(): string[] {
    return this.#repositories.map(({ name }) => name);
  }

  async observe(options: { archive: boolean }, signal: AbortSignal): Promise<BackupObservation> {
    const observedAt = new Date().toISOString();
    const { spec, paths, record } = this.#input;
    const known = await readKnown(this.memory);
    const mounts = Object.fromEntries(
      Object.entries(known).flatMap(([name, { mountPoint }]) =>
        mountPoint === undefined ? [] : [[name, mountPoint]],
      ),
    );
    const archiver = await this.#archiver(signal);
    const { segmentBytes = USUAL_SEGMENT_BYTES, ...facts } = archiver ?? {};
    const input = {
      spec,
      record: record(),
      paths,
      mounts,
      encrypted: spec.backup.encryption,
      segmentBytes,
    };
    const seen = await Promise.all(
      this.#repositories.map(repository => observeRepository(repository, options, input, signal)),
    );
    const repositories = seen.map(repository =>
      repository.state === 'ready' && archiver?.failingRepositories?.includes(repository.name) === true
        ? { ...repository, state: 'failing' as const, problem: archiver.failure }
        : repository,
    );
    const key = spec.backup.encryption && repositories.length > 0 ? await this.#key.facts() : undefined;
    return {
      observedAt,
      repositories,
      archiver: archiver === undefined ? undefined : (facts as ArchiverFacts),
      key,
      proofs: parseProofs(await this.memory.read(PROOFS)),
      failedWork: failedWork(parseMemory(await this.memory.read(SCHEDULE_MEMORY))),
      restores: await readRestoreFacts(paths),
      aside: await listAside(paths),
    };
  }

  async archiver(signal: AbortSignal): Promise<ArchiverFacts | undefined> {
    return await this.#archiver(signal);
  }

  async #archiver(signal: AbortSignal): Promise<(ArchiverFacts & { segmentBytes: number }) | undefined> {
    if (this.#repositories.length === 0) return undefined;
    const primary = await this.#input.primary(signal);
    if (primary === undefined) return undefined;
    try {
      await using session = await this.#input.connect(primary.name, signal);
      return await archiverFacts(primary, session, this.#input.paths, this.#repositories);
    } catch {
      signal.throwIfAborted();
      return undefined;
    }
  }

  async provision(signal: AbortSignal): ReturnType<Backups['provision']> {
    if (this.#repositories.length === 0) return { done: [], failed: [] };
    const result = await provisionRepositories(
      this.#repositories,
      this.#key,
      this.memory,
      this.#input,
      signal,
    );
    if (result.done.length > 0) await this.#wakeArchiver(signal);
    return result;
  }

  /** After three failures PostgreSQL's archiver sleeps for a minute. Reading its configuration again wakes it. */
  async #wakeArchiver(signal: AbortSignal): Promise<void> {
    const primary = await this.#input.primary(signal);
    if (primary === undefined) return;
    try {
      await using session = await this.#input.connect(primary.name, signal);
      await session.query('SELECT pg_reload_conf()');
    } catch {
      signal.throwIfAborted();
    }
  }

  /** Ends pgBackRest's process in the background, which may wait for a storage long after PostgreSQL has ended. */
  async endArchiving(signal: AbortSignal): Promise<void> {
    await endArchiver(this.#input.paths, signal);
  }

  /** After a failover: pushes what the primary before had not archived. Resolves with what was done. */
  async closeGaps(members: MemberObservation[], signal: AbortSignal): Promise<string[]> {
    return await closeGaps(members, this.#repositories, this.memory, this.#input, signal);
  }

  /**
   * What must be there before a server starts: key, configuration, the script that PostgreSQL calls. What cannot be
   * made is told by `provision`, which tries again.
   */
  async prepare(): Promise<void> {
    if (this.#repositories.length === 0) return;
    await prepareFiles(this.#repositories, this.#key, await readKnown(this.memory), this.#input).catch(
      () => {},
    );
  }

  async backup(
    options: { repository: string; type: BackupType },
    context: BackupContext,
  ): Promise<BackupSet> {
    return await takeBackup(this.#named(options.repository), options.type, this.#input, context);
  }

  async expire(options: { repository: string; dryRun: boolean }, context: ApplyContext): Promise<Expired> {
    return await expireBackups(this.#named(options.repository), options.dryRun, this.#input, context);
  }

  async lock(
    operation: string,
    options: { waitMs: number; signal: AbortSignal; onWait?: (holder: string) => void },
  ): Promise<AsyncDisposable> {
    await mkdir(this.#input.paths.root, { recursive: true });
    const { flock } = this.#input.record().programs;
    try {
      return await takeLock(this.#paths.lock, { operation, flock, ...options });
    } catch (error) {
      if (!(error instanceof LockedError)) throw error;
      const holder = (await readIfExists(`${this.#paths.lock}.holder`)) ?? 'another pgherd';
      throw new LockedError({
        code: error.code,
        message: `other work on the backups is under way: ${holder}`,
        hint: 'wait until it is done; `pgherd backups` shows what there is',
        cause: error,
      });
    }
  }

  async readKey(): Promise<{ facts: KeyFacts; key: string } | undefined> {
    const [facts, key] = await Promise.all([this.#key.facts(), this.#key.read()]);
    return facts === undefined || key === undefined ? undefined : { facts, key };
  }

  async noteKeySaved(): Promise<void> {
    await this.#key.noteSaved();
  }

  async importKey(key: string): Promise<void> {
    await this.#key.import(key);
  }

  #named(name: string): Repository {
    const found = this.#repositories.find(repository => repository.name === name);
    if (found !== undefined) return found;
    throw new RefusedError({
      code: 'no-such-repository',
      message: `there is no repository "${name}"`,
      hint:
        this.#repositories.length === 0
          ? 'the manifest asks for none: spec.backup.repositories is empty'
          : `repositories of this cluster: ${this.repositories.join(', ')}`,
    });
  }
}
