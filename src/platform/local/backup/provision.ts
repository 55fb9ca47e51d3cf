/** Making repositories, and making them again when they were lost. */
import { rename, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import type { MemberObservation } from '../../../core/topology/observation.ts';
import { PgBackRestError } from '../../../engine/pgbackrest/errors.ts';
import { codeOf, messageOf, PgherdError } from '../../../lib/errors.ts';
import { ensureDirectory, writeAtomically } from '../../../lib/files.ts';
import type { BackupMemory } from '../../contract.ts';
import { memberSocketDir } from '../serviceParts.ts';
import { writeBackupFiles } from './files.ts';
import type { LocalBackupInput } from './input.ts';
import type { BackupKey } from './key.ts';
import { setAsideCopies } from './leftCopies.ts';
import { backupPaths } from './paths.ts';
import { tryPlace } from './place.ts';
import { placeState } from './places.ts';
import { configOf, type Repository } from './repositories.ts';
import { runTool } from './tool.ts';

const STANZA_MS = 60_000;

/** What must be remembered of repositories, by name. */
const document = z.record(
  z.string(),
  z.object({
    /** Where its place was mounted when it was made. */
    mountPoint: z.string().optional(),
    fileSystem: z.string().optional(),
  }),
);

export type KnownRepositories = z.infer<typeof document>;

export async function readKnown(memory: BackupMemory): Promise<KnownRepositories> {
  const parsed = document.safeParse(await memory.read('repositories'));
  return parsed.success ? parsed.data : {};
}

/** Options that lead pgBackRest to a server on this machine. `number`: which of its servers it is to be. */
export function serverOptions(input: LocalBackupInput, member: string, number: number): string[] {
  const { paths, record } = input;
  return [
    `--pg${number}-path=${join(paths.data, member, 'pgdata')}`,
    `--pg${number}-socket-path=${memberSocketDir(paths, member)}`,
    `--pg${number}-port=${record().port}`,
    `--pg${number}-user=postgres`,
  ];
}

interface Provisioned {
  done: string[];
  failed: { repository: string; problem: string }[];
}

/** Rejects only when aborted. */
export async function provisionRepositories(
  repositories: Repository[],
  key: BackupKey,
  memory: BackupMemory,
  input: LocalBackupInput,
  signal: AbortSignal,
): Promise<Provisioned> {
  const result: Provisioned = { done: [], failed: [] };
  const known = await readKnown(memory);
  const before = JSON.stringify(known);
  const fit: Repository[] = [];
  for (const repository of repositories) {
    const problem = await placeProblem(repository, known, input, signal);
    if (problem === undefined) fit.push(repository);
    else result.failed.push({ repository: repository.name, problem });
  }
  try {
    await prepareFiles(repositories, key, known, input);
  } catch (error) {
    for (const { name } of repositories) result.failed.push({ repository: name, problem: messageOf(error) });
  }
  let primary: MemberObservation | undefined;
  for (const repository of fit) {
    if (result.failed.some(failure => failure.repository === repository.name)) continue;
    if (await isMade(repository, input, known)) continue;
    primary ??= await input.primary(signal);
    try {
      if (primary === undefined)
        throw new PgherdError({ code: 'no-primary', message: 'there is no primary now' });
      result.done.push(await make(repository, primary.name, input, signal));
      known[repository.name] = { ...known[repository.name] };
    } catch (error) {
      signal.throwIfAborted();
      result.failed.push({ repository: repository.name, problem: problemOf(error) });
    }
  }
  try {
    result.done.push(...(await setAsideCopies(input.spec, input.paths, new Date())));
  } catch (error) {
    result.failed.push({ repository: 'a copy of a removed member', problem: problemOf(error) });
  }
  if (anyMade(fit, result) && !(await exists(backupPaths(input.paths).made)))
    await writeAtomically(backupPaths(input.paths).made, '', { mode: 0o644 });
  if (JSON.stringify(known) !== before) await memory.write('repositories', known);
  return result;
}

/** Of those that could be made, one was: now or earlier. */
function anyMade(fit: Repository[], { failed }: Provisioned): boolean {
  return fit.some(({ name }) => !failed.some(({ repository }) => repository === name));
}

/** Looks at a directory of the manifest's, tries it when it is new, and notes where it is mounted. */
async function placeProblem(
  repository: Repository,
  known: KnownRepositories,
  input: LocalBackupInput,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { spec, name } = repository;
  if (spec.kind !== 'directory') return undefined;
  const before = known[name]?.mountPoint;
  const { trouble, mountPoint, fileSystem } = await placeState(repository, input.record(), before, signal);
  if (trouble !== undefined) return trouble.problem;
  if (before !== undefined) return undefined;
  try {
    await tryPlace(spec.path);
  } catch (error) {
    return messageOf(error);
  }
  known[name] = {
    ...(mountPoint === undefined ? {} : { mountPoint }),
    ...(fileSystem === undefined ? {} : { fileSystem }),
  };
  return undefined;
}

/** Key, configuration and script. Where one repository's cannot be made, the files of before stay in force. */
export async function prepareFiles(
  repositories: Repository[],
  key: BackupKey,
  known: KnownRepositories,
  { spec, record, paths }: LocalBackupInput,
): Promise<void> {
  const passphrase = spec.backup.encryption ? await key.ensure() : undefined;
  const configs = await Promise.all(
    repositories.map(async repository => ({
      repository,
      config: await configOf(repository, spec, passphrase, known[repository.name]?.fileSystem),
    })),
  );
  await writeBackupFiles(spec, record(), paths, configs);
}

/** On this machine its two lists tell; elsewhere what was noted, which a failing archive puts in doubt. */
async function isMade(
  { directory, name }: Repository,
  { spec, paths }: LocalBackupInput,
  known: KnownRepositories,
): Promise<boolean> {
  if (directory === undefined)
    return known[name] !== undefined && !(await exists(backupPaths(paths).failure));
  const lists = ['archive/archive.info', 'backup/backup.info'].map(list => {
    const [part = '', file = ''] = list.split('/');
    return exists(join(directory, part, spec.name, file));
  });
  return (await Promise.all(lists)).every(Boolean);
}

async function make(
  repository: Repository,
  primary: string,
  input: LocalBackupInput,
  signal: AbortSignal,
): Promise<string> {
  const { record, paths } = input;
  const { directory } = repository;
  const owner = process.getuid?.() === 0 ? record().serviceUser : undefined;
  const lost = directory !== undefined && (await exists(directory));
  if (directory !== undefined) await ownDirectory(directory, owner);
  const create = () =>
    runTool(record(), {
      args: ['stanza-create', ...serverOptions(input, primary, 1)],
      config: backupPaths(paths).confOf(repository.name),
      stanza: input.spec.name,
      what: `making ${repository.name}`,
      signal,
      timeoutMs: STANZA_MS,
    });
  try {
    await create();
  } catch (error) {
    // What is left of a copy has no list any more, so nothing of it can be used as it is: it is set aside.
    const remains = error instanceof PgBackRestError && [28, 40, 51, 55, 103].includes(error.exitCode ?? 0);
    if (!lost || !remains || repository.member === undefined || directory === undefined) throw error;
    const aside = join(paths.aside, `backups-${basename(directory)}-${Date.now()}`);
    await rename(directory, aside);
    await ownDirectory(directory, owner);
    await create();
    return `made ${repository.name} again; what was left of it is in ${aside}`;
  }
  return `made the repository ${repository.name}`;
}

/** Several clusters may share the parents. A share that knows no owners keeps its own. */
async function ownDirectory(
  directory: string,
  owner: { uid: number; gid: number } | undefined,
): Promise<void> {
  await ensureDirectory(dirname(directory), { mode: 0o755 });
  try {
    await ensureDirectory(directory, { mode: 0o700, owner });
  } catch (error) {
    if (codeOf(error) !== 'EPERM') throw error;
  }
}

function problemOf(error: unknown): string {
  const detail = error instanceof PgherdError && error.detail !== undefined ? ` (${error.detail})` : '';
  return `${messageOf(error)}${detail}`;
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
