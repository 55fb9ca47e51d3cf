import { join } from 'node:path';
import { type ControlData, parseControlData } from '../../engine/postgres/controlData.ts';
import { PgherdError } from '../../lib/errors.ts';
import { run } from '../../lib/exec.ts';
import type { ClusterRecord } from './record.ts';

const TOOL_MS = 30_000;

/** Rejects where there is no data directory, or what pg_controldata says of it cannot be understood. */
export async function readControlData(
  { postgres, serviceUser }: ClusterRecord,
  data: string,
  signal: AbortSignal,
): Promise<ControlData> {
  const program = join(postgres.binDir, 'pg_controldata');
  const owner = process.getuid?.() === 0 ? { uid: serviceUser.uid, gid: serviceUser.gid } : {};
  const env = { PATH: process.env.PATH, LC_ALL: 'C' };
  const { stdout } = await run([program, '-D', data], { ...owner, env, signal, timeoutMs: TOOL_MS });
  const control = parseControlData(stdout);
  if (control !== undefined) return control;
  throw new PgherdError({
    code: 'control-data-unknown',
    message: `what pg_controldata says of ${data} cannot be understood`,
  });
}
