/** Looking for damage in restored data, with PostgreSQL's own tools. */
import { PgherdError } from '../../../../lib/errors.ts';
import type { ExecResult } from '../../api/exec.ts';
import { PLACES, type RestoreShell } from './shell.ts';

const CHECK_MS = 24 * 3_600_000;
/** Of pg_amcheck: it has found something. */
const CORRUPT = 2;
/** One line for each thing that is wrong is enough to act on; damage comes in thousands. */
const MAXIMUM_LINES = 20;

/** pg_amcheck of every database: the structure of tables and of B-tree indexes. */
export async function checkStructure(shell: RestoreShell, signal: AbortSignal): Promise<string[]> {
  // The scratch takes no write by default, and the extension is one.
  const script =
    'PGOPTIONS="-c default_transaction_read_only=off" exec pg_amcheck --all --install-missing --no-dependent-toast --username=postgres';
  const result = await shell.try(script, [], signal, CHECK_MS);
  if (result.code === 0) return [];
  const lines = linesOf(result);
  if (result.code === CORRUPT && lines.length > 0) return lines;
  throw failed('pg_amcheck could not check the restored data', 'amcheck-failed', lines);
}

/** The checksum of every page, on a server that has been stopped. undefined: the cluster has no checksums. */
export async function checkPages(shell: RestoreShell, signal: AbortSignal): Promise<string[] | undefined> {
  const control = await shell.run('LC_ALL=C exec pg_controldata -D "$1"', [PLACES.data], signal);
  if (/^Data page checksum version: +0$/m.test(control)) return undefined;
  const result = await shell.try('exec pg_checksums --check -D "$1"', [PLACES.data], signal, CHECK_MS);
  if (result.code === 0) return [];
  const lines = linesOf(result).filter(line => line.includes(' file "'));
  if (lines.length > 0) return lines.map(line => line.replaceAll(`${PLACES.data}/`, ''));
  throw failed('pg_checksums could not check the restored data', 'checksums-failed', linesOf(result));
}

function linesOf({ stdout, stderr }: ExecResult): string[] {
  return `${stdout}\n${stderr}`
    .split('\n')
    .map(line => line.trim().replace(/^pg_\w+: (?:error: )?/, ''))
    .filter(line => line !== '')
    .slice(0, MAXIMUM_LINES);
}

function failed(message: string, code: string, lines: string[]): PgherdError {
  return new PgherdError({ code, message, detail: lines.slice(0, 5).join('\n') });
}
