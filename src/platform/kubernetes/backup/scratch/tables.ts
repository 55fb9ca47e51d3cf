import {
  dumpOptions,
  LOAD_OPTIONS,
  LOAD_SETTINGS,
  tablesNotLoaded,
} from '../../../../engine/postgres/tableCopy.ts';
import { PgherdError } from '../../../../lib/errors.ts';
import type { ApplyContext } from '../../../contract.ts';
import type { KubeClient } from '../../api/client.ts';
import type { ExecTarget } from '../../api/exec.ts';
import { carry } from '../carry.ts';

const TELL_BYTES = 16 * 1024 * 1024;
const ENVIRONMENT = ['env', 'LC_ALL=C.UTF-8', 'TZ=UTC'];
const SETTINGS = Object.entries(LOAD_SETTINGS).map(([name, value]) => `${name}=${value}`);

/** Tables out of a restore's pod into the primary's, in one transaction: all of them or none. */
export async function copyTables(
  client: KubeClient,
  { from, into }: { from: ExecTarget; into: ExecTarget },
  { database, tables }: { database: string; tables: string[] },
  { signal, progress }: ApplyContext,
): Promise<void> {
  const names = tables.join(', ');
  const place = ['--username=postgres', `--dbname=${database}`];
  progress(`bringing ${names} into the cluster`);
  let told = 0;
  const failure = await carry(
    client,
    { target: from, argv: [...ENVIRONMENT, 'pg_dump', ...dumpOptions(tables), ...place] },
    { target: into, argv: [...ENVIRONMENT, ...SETTINGS, 'pg_restore', ...LOAD_OPTIONS, ...place] },
    {
      signal,
      onBytes(total) {
        if (total - told < TELL_BYTES) return;
        told = total;
        progress(`bringing ${names} into the cluster: ${Math.round(total / 1024 / 1024)} MB`);
      },
    },
  );
  if (failure?.side === 'into') throw tablesNotLoaded(failure.stderr);
  if (failure === undefined) return;
  throw new PgherdError({
    code: 'tables-unreadable',
    message: 'the tables could not be read from the restored data; nothing was written into the cluster',
    detail: failure.stderr,
  });
}
