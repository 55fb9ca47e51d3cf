/** Tables out of a scratch into the live cluster. */
import { join } from 'node:path';
import { SCRATCH_PORT } from '../../../../engine/postgres/scratchConfig.ts';
import {
  dumpOptions,
  LOAD_OPTIONS,
  LOAD_SETTINGS,
  tablesNotLoaded,
} from '../../../../engine/postgres/tableCopy.ts';
import { CommandError, run } from '../../../../lib/exec.ts';
import type { ApplyContext } from '../../../contract.ts';
import type { ClusterRecord } from '../../record.ts';
import { asServer } from './copy.ts';
import type { ScratchPaths } from './record.ts';

const COPY_MS = 24 * 3_600_000;

/** By pg_dump and pg_restore, in one transaction: all of them or none. */
export async function copyTables(
  record: ClusterRecord,
  places: ScratchPaths,
  { database, tables }: { database: string; tables: string[] },
  endpoint: { conninfo: string; env: Record<string, string> },
  { signal, progress }: ApplyContext,
): Promise<void> {
  const program = (name: string) => join(record.postgres.binDir, name);
  const file = join(places.root, 'tables.dump');
  const limits = { signal, timeoutMs: COPY_MS };
  progress(`reading ${tables.join(', ')} from the restored data`);
  const from = [`--host=${places.sockets}`, `--port=${SCRATCH_PORT}`, '--username=postgres', database];
  await run([program('pg_dump'), ...dumpOptions(tables), `--file=${file}`, ...from], {
    ...limits,
    ...asServer(record),
  });
  progress(`writing ${tables.join(', ')} into the cluster`);
  try {
    // As ourselves: the password file is for nobody else.
    await run([program('pg_restore'), ...LOAD_OPTIONS, `--dbname=${endpoint.conninfo}`, file], {
      ...limits,
      env: { ...asServer(record).env, ...endpoint.env, ...LOAD_SETTINGS },
    });
  } catch (error) {
    if (!(error instanceof CommandError) || error.reason !== 'exit') throw error;
    throw tablesNotLoaded(error.detail, error);
  }
}
