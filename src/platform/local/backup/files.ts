/** The files of the backups: pgBackRest's configuration and the script that PostgreSQL calls for each segment. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import { type RepositoryConfig, renderConfig } from '../../../engine/pgbackrest/config.ts';
import { ensureDirectory, readIfExists, writeAtomically } from '../../../lib/files.ts';
import type { Paths } from '../layout.ts';
import type { ClusterRecord } from '../record.ts';
import { type BackupPaths, backupPaths, shellQuote } from './paths.ts';
import type { Repository } from './repositories.ts';

/** A segment takes a fraction of a second. A repository that hangs must not hold up PostgreSQL's end for ever. */
const ARCHIVE_SECONDS = 45;
const ENDING_SECONDS = 5;

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
  await keep(own.archiveScript, archiveScript(spec, record, own), 0o700, owner);
}

async function keep(
  path: string,
  text: string,
  mode: number,
  owner: { uid: number; gid: number } | undefined,
): Promise<void> {
  if ((await readIfExists(path)) !== text) await writeAtomically(path, text, { mode, owner });
}

/**
 * PostgreSQL calls it in the data directory. It fails until every repository has the segment, and PostgreSQL keeps
 * the segment that long. Since when it fails, and why, is left in a file for `status`.
 */
function archiveScript(spec: ClusterSpec, record: ClusterRecord, own: BackupPaths): string {
  const { pgbackrest } = record.programs;
  return `#!/bin/sh
# Called by PostgreSQL with the path of a WAL segment. Rendered by pgherd; edits are overwritten.
failure=${shellQuote(own.failure)}
if [ ! -e ${shellQuote(own.made)} ]; then
  code=1
  message='no repository has been made yet'
else
  limit=${ARCHIVE_SECONDS}
  # A server that ends waits for this, three times over. What is not archived now is when it runs again.
  case "$(sed -n 8p postmaster.pid 2>/dev/null)" in stopping*)
    [ ! -e "$failure" ] || exit 1
    limit=${ENDING_SECONDS} ;;
  esac
  message=$(env -i PATH=/usr/local/bin:/usr/bin:/bin LC_ALL=C.UTF-8 HOME=/ \\
    timeout -k 2 "$limit" ${shellQuote(pgbackrest)} --config=${shellQuote(own.archiveConf)} --stanza=${spec.name} \\
    --pg1-path="$PWD" archive-push "$1" 2>&1)
  code=$?
fi
if [ "$code" -eq 0 ]; then
  [ ! -e "$failure" ] || rm -f "$failure"
  exit 0
fi
[ "$code" -ne 124 ] || message="no answer within $limit s"
since=$(head -n 1 "$failure" 2>/dev/null) || since=$(date +%s)
printf '%s\\n%s\\n' "$since" "$message" > "$failure.new" && mv -f "$failure.new" "$failure"
printf '%s\\n' "$message" >&2
# A code above 125 would make PostgreSQL end its archiver.
[ "$code" -le 125 ] || code=125
exit "$code"
`;
}
