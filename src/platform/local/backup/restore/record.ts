/** Scratches on disk: where they lie, and what each is. */
import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { recoveryTarget } from '../../../../core/schedule/targetSchema.ts';
import { readIfExists, writeAtomically } from '../../../../lib/files.ts';
import { isAlive, type ProcessId, startTimeOf } from '../../../../lib/process.ts';
import type { ScratchRecord } from '../../../contract.ts';
import type { Paths } from '../../layout.ts';

const reached = z.object({
  lastCommitAt: z.string().optional(),
  lsn: z.string(),
  timeline: z.number(),
  reason: z.string(),
  endOfArchive: z.boolean(),
});

export const scratchFile = z.object({
  schema: z.literal(1),
  id: z.string(),
  purpose: z.enum(['verify', 'restore', 'table', 'clone']),
  createdAt: z.string(),
  directory: z.string(),
  socketDirectory: z.string(),
  repository: z.string(),
  backup: z.string(),
  target: recoveryTarget.optional(),
  reached: reached.optional(),
  restoredMs: z.number(),
  replayedMs: z.number(),
  owner: z.object({ pid: z.number(), startTime: z.string() }),
});

export type ScratchFile = z.infer<typeof scratchFile>;

export interface ScratchPaths {
  root: string;
  file: string;
  data: string;
  tablespaces: string;
  config: string;
  hba: string;
  ident: string;
  /** postgresql.auto.conf of the backup, out of the way while the scratch runs. */
  autoConfig: string;
  log: string;
  process: string;
  sockets: string;
}

export function scratchesRoot(paths: Paths): string {
  return join(paths.root, 'scratch');
}

export function scratchPaths(paths: Paths, id: string): ScratchPaths {
  const root = join(scratchesRoot(paths), id);
  const below = (name: string) => join(root, name);
  return {
    root,
    file: below('scratch.json'),
    data: below('pgdata'),
    tablespaces: below('tablespaces'),
    config: below('postgresql.conf'),
    hba: below('pg_hba.conf'),
    ident: below('pg_ident.conf'),
    autoConfig: below('postgresql.auto.conf'),
    log: below('server.log'),
    process: below('server.json'),
    // Short: a socket's path may have 107 bytes.
    sockets: join(paths.run, `scratch-${id}`),
  };
}

export function newId(): string {
  return randomBytes(3).toString('hex');
}

export async function ownProcess(): Promise<ProcessId> {
  return { pid: process.pid, startTime: (await startTimeOf(process.pid)) ?? '' };
}

export async function writeScratch(file: string, record: ScratchFile): Promise<void> {
  await writeAtomically(file, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
}

/** undefined: there is none of this id, or what is there cannot be understood. */
export async function readScratch(paths: Paths, id: string): Promise<ScratchFile | undefined> {
  if (!/^[0-9a-f]{6}$/.test(id)) return undefined;
  const text = await readIfExists(scratchPaths(paths, id).file);
  if (text === undefined) return undefined;
  try {
    return scratchFile.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Ids of everything that lies there, whole or not. */
export async function scratchIds(paths: Paths): Promise<string[]> {
  const names = await readdir(scratchesRoot(paths)).catch(() => []);
  return names.filter(name => /^[0-9a-f]{6}$/.test(name));
}

export async function toRecord({ schema: _, owner, ...file }: ScratchFile): Promise<ScratchRecord> {
  return {
    ...file,
    target: file.target,
    reached: file.reached && { ...file.reached, lastCommitAt: file.reached.lastCommitAt },
    owned: await isAlive(owner),
  };
}

/** Stands for what cannot be understood: nobody's, and not whole. */
export function unreadable(paths: Paths, id: string): ScratchFile {
  return {
    schema: 1,
    id,
    purpose: 'verify',
    createdAt: '',
    directory: scratchPaths(paths, id).root,
    socketDirectory: scratchPaths(paths, id).sockets,
    repository: '',
    backup: '',
    restoredMs: 0,
    replayedMs: 0,
    owner: { pid: 0, startTime: '' },
  };
}
