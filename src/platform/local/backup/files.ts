/** The files of the backups: pgBackRest's configuration and the script that PostgreSQL calls for each segment. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import { archiveScript } from '../../../engine/pgbackrest/archiveScript.ts';
import { type RepositoryConfig, renderConfig } from '../../../engine/pgbackrest/config.ts';
import { ensureDirectory, readIfExists, writeAtomically } from '../../../lib/files.ts';
import type { Paths } from '../layout.ts';
import type { ClusterRecord } from '../record.ts';
import { backupPaths } from './paths.ts';
import type { Repository } from './repositories.ts';

/** Writes what has changed. Whoever reads sees the old files or the new ones. */
export async function writeBackupFiles(
  spec: ClusterSpec,
  record: ClusterRecord,
  paths: Paths,
  configs: { repository: Repository; config: RepositoryConfig }[],
): Promise<void> {
  const own = backupPaths(paths);
  const owner = process.getuid?.() === 0 ? record.serviceUser : undefined;
  const directory = { mode: 0o700, owner };
  for (const path of [own.conf, join(own.failure, '..'), join(own.lockOf('x'), '..'), own.spool])
    await ensureDirectory(path, directory);
  await ensureDirectory(own.root, { mode: 0o711 });
  const text = (name: string, repositories: RepositoryConfig[]) =>
    renderConfig({
      version: record.programs.pgbackrestVersion,
      stanza: spec.name,
      repositories,
      compression: spec.backup.compression,
      processes: Math.max(1, Math.min(4, Math.ceil(availableParallelism() / 2))),
      lockDirectory: own.lockOf(name),
      spoolDirectory: own.spool,
      dataDirectory: undefined,
    });
  for (const { repository, config } of configs)
    await keep(own.confOf(repository.name), text(repository.name, [config]), 0o600, owner);
  const all = configs.map(({ config }) => config);
  await keep(own.archiveConf, text('archive', all), 0o600, owner);
  const script = archiveScript({
    program: record.programs.pgbackrest,
    config: own.archiveConf,
    stanza: spec.name,
    failure: own.failure,
    made: own.made,
  });
  await keep(own.archiveScript, script, 0o700, owner);
}

async function keep(
  path: string,
  text: string,
  mode: number,
  owner: { uid: number; gid: number } | undefined,
): Promise<void> {
  if ((await readIfExists(path)) !== text) await writeAtomically(path, text, { mode, owner });
}
