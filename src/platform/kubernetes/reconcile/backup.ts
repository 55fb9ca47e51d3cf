import type { LiveObject } from '../api/kinds.ts';
import type { Condition } from '../status/compute.ts';

/** Dumps are made at least once a day by default: one that is older has been missed. */
const LATE_MS = 26 * 3_600_000;

/** What can be said of backups from what is watched: when the job that dumps the databases last succeeded. */
export function backupOf(jobs: LiveObject[], now: Date): Pick<Condition, 'status' | 'reason' | 'message'> {
  const [job] = jobs;
  if (job === undefined) {
    return { status: 'Unknown', reason: 'NotConfigured', message: 'the manifest asks for no backups' };
  }
  const status = (job.status ?? {}) as { lastSuccessfulTime?: string; lastScheduleTime?: string };
  if (status.lastSuccessfulTime === undefined) {
    const never = status.lastScheduleTime === undefined;
    return never
      ? { status: 'Unknown', reason: 'NotYet', message: 'no dump was due yet' }
      : { status: 'Unknown', reason: 'NotSeen', message: 'no dump is known to have succeeded' };
  }
  const age = now.getTime() - Date.parse(status.lastSuccessfulTime);
  const message = `the last dump that succeeded is of ${status.lastSuccessfulTime}`;
  return age > LATE_MS
    ? { status: 'False', reason: 'Late', message }
    : { status: 'True', reason: 'DumpSucceeded', message };
}
