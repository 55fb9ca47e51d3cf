/** To which moments a cluster can be brought back. */
import type { BackupObservation, BackupSet, RepositoryFacts } from './facts.ts';
import { latestTimeline, type Reach, reachOf } from './reach.ts';
import { lsnBytes, lsnText } from './wal.ts';

/** Moments without a gap between them that one repository can bring back. */
export interface RecoverableWindow {
  repository: string;
  /** ISO 8601. */
  from: string;
  /** undefined: up to the present, as far as WAL is archived. */
  to: string | undefined;
  fromLsn: string;
  toLsn: string;
  timeline: number;
  /** Backups that it begins with and builds on, oldest first. */
  backups: string[];
  /** The WAL segment whose lack ends it; undefined: nothing is lacking. */
  missing: string | undefined;
}

/** A set is consistent from the second after the one in which it ended: pgBackRest tells whole seconds. */
export function usableFrom(set: BackupSet): number {
  return Math.floor(Date.parse(set.finishedAt) / 1000) * 1000 + 1000;
}

/** Windows of every repository, by repository and time. A repository whose WAL is not known has none. */
export function recoverableWindows(observed: BackupObservation): RecoverableWindow[] {
  return observed.repositories.flatMap(repository => windowsOf(repository, observed));
}

function windowsOf(repository: RepositoryFacts, observed: BackupObservation): RecoverableWindow[] {
  const { archive, backups } = repository;
  if (archive === undefined) return [];
  const windows: RecoverableWindow[] = [];
  for (const set of backups) {
    const timeline = latestTimeline(archive);
    const reach = reachOf(set, archive, timeline) ?? reachOf(set, archive, set.timeline);
    if (reach === undefined) continue;
    const same = windows.find(
      window => window.timeline === reach.timeline && window.toLsn === lsnText(reach.endLsn),
    );
    if (same !== undefined) {
      same.backups.push(set.id);
      continue;
    }
    const abandoned = reach.timeline !== timeline;
    windows.push({
      repository: repository.name,
      from: new Date(usableFrom(set)).toISOString(),
      to: abandoned || reach.missing !== undefined ? lastMoment(reach, set, observed) : undefined,
      fromLsn: set.lsn.stop,
      toLsn: lsnText(reach.endLsn),
      timeline: reach.timeline,
      backups: [set.id],
      missing: reach.missing,
    });
  }
  return windows;
}

/**
 * The latest moment that certainly lies within: when a backup ended whose own end does, or when its last segment was
 * archived.
 */
export function lastMoment(reach: Reach, own: BackupSet, observed: BackupObservation): string {
  const within = observed.repositories
    .flatMap(({ backups }) => backups)
    .filter(set => set.timeline === reach.timeline && lsnBytes(set.lsn.stop) <= reach.endLsn)
    .map(set => Date.parse(set.finishedAt));
  return new Date(Math.max(usableFrom(own), ...within)).toISOString();
}
