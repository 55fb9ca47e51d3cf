/** Looking for damage in restored data, with PostgreSQL's own tools. */
import { join } from 'node:path';
import { SCRATCH_PORT } from '../../../../engine/postgres/scratchConfig.ts';
import { PgherdError } from '../../../../lib/errors.ts';
import { type RunResult, run } from '../../../../lib/exec.ts';
import type { ApplyContext } from '../../../contract.ts';
import { readControlData } from '../../controlData.ts';
import type { ClusterRecord } from '../../record.ts';
import { asServer } from './copy.ts';
import type { ScratchPaths } from './record.ts';

const CHECK_MS = 24 * 3_600_000;
/** Of pg_amcheck: it has found something. */
const CORRUPT = 2;
/** One line for each thing that is wrong is enough to act on; damage comes in thousands. */
const MAXIMUM_LINES = 20;

/** pg_amcheck of every database: the structure of tables and of B-tree indexes. */
export async function checkStructure(
  record: ClusterRecord,
  places: ScratchPaths,
  jobs: number,
  { signal }: ApplyContext,
): Promise<string[]> {
  const server = asServer(record);
  const result = await run(
    [
      join(record.postgres.binDir, 'pg_amcheck'),
      '--all',
      '--install-missing',
      '--no-dependent-toast',
      `--jobs=${jobs}`,
      `--host=${places.sockets}`,
      `--port=${SCRATCH_PORT}`,
      '--username=postgres',
    ],
    {
      ...server,
      // The scratch takes no write by default, and the extension is one.
      env: { ...server.env, PGOPTIONS: '-c default_transaction_read_only=off' },
      signal,
      timeoutMs: CHECK_MS,
      okCodes: [0, 1, CORRUPT],
    },
  );
  if (result.code === 0) return [];
  const lines = linesOf(result);
  if (result.code === CORRUPT && lines.length > 0) return lines;
  throw new PgherdError({
    code: 'amcheck-failed',
    message: 'pg_amcheck could not check the restored data',
    detail: lines.slice(0, 5).join('\n'),
  });
}

/** The checksum of every page, on a server that has been stopped. undefined: the cluster has no checksums. */
export async function checkPages(
  record: ClusterRecord,
  places: ScratchPaths,
  { signal }: ApplyContext,
): Promise<string[] | undefined> {
  const control = await readControlData(record, places.data, signal);
  if (!control.checksums) return undefined;
  const program = join(record.postgres.binDir, 'pg_checksums');
  const result = await run([program, '--check', '-D', places.data], {
    ...asServer(record),
    signal,
    timeoutMs: CHECK_MS,
    okCodes: [0, 1],
  });
  if (result.code === 0) return [];
  const lines = linesOf(result).filter(line => line.includes(' file "'));
  if (lines.length > 0) return lines.map(line => line.replaceAll(`${places.data}/`, ''));
  throw new PgherdError({
    code: 'checksums-failed',
    message: 'pg_checksums could not check the restored data',
    detail: linesOf(result).slice(0, 5).join('\n'),
  });
}

function linesOf({ stdout, stderr }: RunResult): string[] {
  return [stdout, stderr]
    .join('\n')
    .split('\n')
    .map(line => line.trim().replace(/^pg_\w+: (?:error: )?/, ''))
    .filter(line => line !== '')
    .slice(0, MAXIMUM_LINES);
}
