/** Logical backups on this machine: PostgreSQL's own tools on the primary's socket, files in a directory. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { ClusterSpec } from '../../../../core/manifest/spec.ts';
import type { StoredDump } from '../../../../core/schedule/dump.ts';
import { messageOf, RefusedError } from '../../../../lib/errors.ts';
import { ensureDirectory } from '../../../../lib/files.ts';
import type {
  ApplyContext,
  BackupMemory,
  DumpInProgress,
  DumpPlace,
  Dumps,
  InsideTarget,
} from '../../../contract.ts';
import type { ClusterRecord } from '../../record.ts';
import { lookAtPlace, type PlaceFacts, tryPlace } from '../place.ts';
import { RunningDump } from './running.ts';
import { checkFiles, listDumps, partialName, removeDump, sweepPartials } from './store.ts';

const MEMORY = 'dump-place';

const placeMemory = z.object({ directory: z.string(), fileSystem: z.string() });

/** What dumps need of the cluster while they run. */
export interface DumpMeans {
  memory(): BackupMemory;
  /** Where the primary can be reached without a password. */
  primary(signal: AbortSignal): Promise<InsideTarget>;
}

export class LocalDumps implements Dumps {
  readonly #record: ClusterRecord;
  readonly #means: DumpMeans;
  /** The manifest's directory, which has to be there, or one of the cluster's own, which is made. */
  readonly #place: string;
  readonly #own: boolean;
  /** Several clusters may share a place. */
  readonly #directory: string;

  constructor(spec: ClusterSpec, record: ClusterRecord, root: string, means: DumpMeans) {
    const { directory } = spec.backup.logical;
    this.#record = record;
    this.#means = means;
    this.#own = directory === undefined;
    this.#place = directory ?? join(root, 'backups', 'dumps');
    this.#directory = this.#own ? this.#place : join(this.#place, record.namespace, record.name);
  }

  async observe(signal: AbortSignal): Promise<DumpPlace> {
    const directory = this.#place;
    const unknown = { fileSystem: undefined, freeBytes: undefined, dumps: [] };
    // The cluster's own directory is made with the first dump.
    if (this.#own && !existsSync(directory)) return { directory, problem: undefined, ...unknown };
    try {
      const { fileSystem, freeBytes } = await lookAtPlace(directory, signal);
      return {
        directory,
        fileSystem,
        freeBytes,
        problem: undefined,
        dumps: await listDumps(this.#directory, this.#record.uid),
      };
    } catch (error) {
      signal.throwIfAborted();
      return { directory, ...unknown, problem: messageOf(error) };
    }
  }

  async begin(options: { id: string; trustPlace: boolean }, context: ApplyContext): Promise<DumpInProgress> {
    const { signal } = context;
    const { uid, postgres } = this.#record;
    context.progress(`trying ${this.#place}`);
    if (this.#own) await ensureDirectory(this.#place, { mode: 0o700 });
    const place = await lookAtPlace(this.#place, signal);
    if (!options.trustPlace) await this.#refuseOtherPlace(place);
    await ensureDirectory(this.#directory, { mode: 0o700 });
    await tryPlace(this.#directory);
    await sweepPartials(this.#directory, uid);
    const dumps = await listDumps(this.#directory, uid);
    refuseWithoutRoom(
      place,
      dumps.findLast(dump => dump.own),
    );
    const made = await RunningDump.begin(
      { cluster: this.#record, postgres, primary: this.#means.primary },
      {
        id: options.id,
        partial: join(this.#directory, partialName(uid, options.id)),
        final: join(this.#directory, options.id),
        context,
      },
    );
    await this.#means.memory().write(MEMORY, { directory: this.#place, fileSystem: place.fileSystem });
    return made;
  }

  async check(id: string, { signal, progress }: ApplyContext): Promise<string[]> {
    const dump = (await listDumps(this.#directory, this.#record.uid)).find(candidate => candidate.id === id);
    if (dump === undefined) throw noSuchDump(id, this.#directory);
    return await checkFiles(dump, signal, progress);
  }

  async remove(id: string): Promise<void> {
    const dump = (await listDumps(this.#directory, this.#record.uid)).find(candidate => candidate.id === id);
    if (dump !== undefined) await removeDump(this.#directory, dump.id);
  }

  /** A share that is not mounted leaves an empty directory behind, on the disk that the dumps are to outlive. */
  async #refuseOtherPlace({ fileSystem, mountPoint }: PlaceFacts): Promise<void> {
    const known = placeMemory.safeParse(await this.#means.memory().read(MEMORY)).data;
    if (known?.directory !== this.#place || known.fileSystem === fileSystem) return;
    throw new RefusedError({
      code: 'backup-place-changed',
      message: `${this.#place} was on ${known.fileSystem} at the last dump and is on ${fileSystem} (${mountPoint}) now`,
      hint: `mount the share again; if the change is meant: pgherd backup ${this.#record.name} --logical --new-place`,
    });
  }
}

/** The next dump will hardly be much smaller than the last. */
function refuseWithoutRoom({ freeBytes }: PlaceFacts, last: StoredDump | undefined): void {
  const needed = (last?.contents.files ?? []).reduce((sum, { bytes }) => sum + bytes, 0);
  if (last === undefined || freeBytes >= needed) return;
  throw new RefusedError({
    code: 'backup-place-full',
    message: `${freeBytes} bytes are free for the dump, and the last one had ${needed}`,
    hint: 'make room, or keep dumps for a shorter time (logicalBackupRetention)',
  });
}

function noSuchDump(id: string, directory: string): RefusedError {
  return new RefusedError({
    code: 'no-such-dump',
    message: `there is no complete dump ${JSON.stringify(id)} in ${directory}`,
    hint: 'see the dumps there are: pgherd backups NAME',
  });
}
