import { randomBytes } from 'node:crypto';
import { PgBackRestError } from '../../../../engine/pgbackrest/errors.ts';
import type { SegmentState } from '../../../contract.ts';
import type { KubeBackupInput } from '../input.ts';
import { runTool } from '../tool.ts';
import type { RestoreShell } from './shell.ts';

const REQUEST_MS = 15_000;
const FETCH_MS = 120_000;
/** Of archive-get: there is no such segment. */
const NO_SEGMENT = 1;

/** Whether a repository can give a segment, tried in a member's pod. */
export async function trySegment(
  input: KubeBackupInput,
  member: RestoreShell,
  { repository, config, segment }: { repository: string; config: string; segment: string },
  signal: AbortSignal,
): Promise<SegmentState> {
  try {
    await runTool(input, {
      args: ['archive-get', segment, `/tmp/pgherd-segment-${randomBytes(3).toString('hex')}`],
      pod: member.target.pod,
      config,
      what: `segment ${segment} in ${repository}`,
      timeoutMs: FETCH_MS,
      signal,
    });
    return 'good';
  } catch (error) {
    if (!(error instanceof PgBackRestError)) throw error;
    return error.exitCode === NO_SEGMENT ? 'missing' : 'damaged';
  } finally {
    await member.try('rm -f /tmp/pgherd-segment-*', [], AbortSignal.timeout(REQUEST_MS)).catch(() => {});
  }
}
