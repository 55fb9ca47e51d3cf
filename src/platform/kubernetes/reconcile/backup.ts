import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import { lastOccurrence } from '../../../core/schedule/cron.ts';
import { parseMemory, SCHEDULE_MEMORY } from '../../../core/schedule/memory.ts';
import type { LiveObject } from '../api/kinds.ts';
import { GRACE_MS, HEALTH, judgeHealth, parseHealth, type Said } from '../backup/health.ts';
import { readNote } from '../backup/notes.ts';
import { repositoryHostName } from '../objects/names.ts';
import type { Watched } from '../operator/watched.ts';

export interface BackupSeen {
  spec: ClusterSpec | undefined;
  /** ConfigMap with the notes of the backups. */
  notes: LiveObject | undefined;
  /** CronJobs of the cluster: that of the dumps. */
  jobs: LiveObject[];
}

/** `key`: namespace/name of the cluster. */
export function seenOf(spec: ClusterSpec | undefined, watched: Watched, key: string): BackupSeen {
  const [, name = ''] = key.split('/');
  const notes = watched
    .children('ConfigMap', key)
    .find(({ metadata }) => metadata.name === repositoryHostName(name));
  return { spec, notes, jobs: watched.children('CronJob', key) };
}

/** What can be said of backups from what is watched: of physical ones, of dumps, or the worse of both. */
export function backupOf({ spec, notes, jobs }: BackupSeen, now: Date): Said {
  const memory = parseMemory(readNote(notes, SCHEDULE_MEMORY));
  const health = parseHealth(readNote(notes, HEALTH));
  const physical = spec === undefined ? undefined : judgeHealth(spec.backup, { health, memory }, now);
  const said = [physical, dumpsOf(spec, jobs, now)].filter(one => one !== undefined);
  const worst = ['False', 'Unknown', 'True'].map(status => said.filter(one => one.status === status));
  const [first, ...rest] = worst.flat();
  if (first === undefined)
    return { status: 'Unknown', reason: 'NotConfigured', message: 'the manifest asks for no backups' };
  return { ...first, message: [first, ...rest].map(({ message }) => message).join('; ') };
}

/** By the job that dumps the databases; undefined: there is none. */
function dumpsOf(spec: ClusterSpec | undefined, [job]: LiveObject[], now: Date): Said | undefined {
  if (job === undefined) return undefined;
  const status = (job.status ?? {}) as { lastSuccessfulTime?: string; lastScheduleTime?: string };
  const { lastSuccessfulTime: done, lastScheduleTime: tried } = status;
  if (done === undefined) {
    return tried === undefined
      ? { status: 'Unknown', reason: 'NotYet', message: 'no dump was due yet' }
      : { status: 'Unknown', reason: 'NotSeen', message: 'no dump is known to have succeeded' };
  }
  const message = `the last dump that succeeded is of ${done}`;
  const line = spec?.backup.logical.schedule;
  const timeZone = spec?.backup.schedule.timeZone;
  const due = line && lastOccurrence({ cron: line, timeZone }, new Date(now.getTime() - GRACE_MS));
  return due && Date.parse(done) < due.getTime()
    ? { status: 'False', reason: 'Late', message }
    : { status: 'True', reason: 'DumpSucceeded', message };
}
