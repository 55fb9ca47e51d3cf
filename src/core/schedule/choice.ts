/** Which backup a restore begins with. Everything is checked here, before anything is touched. */
import { RefusedError } from '../../lib/errors.ts';
import type { BackupObservation, BackupSet, RepositoryFacts } from './facts.ts';
import { latestTimeline, reachOf, segmentBytesOf, timelineAt } from './reach.ts';
import { type RecoveryTarget, targetText } from './target.ts';
import { lsnBytes } from './wal.ts';
import { lastMoment, recoverableWindows, usableFrom } from './window.ts';

export interface Candidate {
  repository: string;
  set: BackupSet;
  /** To follow; undefined: what the archive holds of it is not known, the newest one then. */
  timeline: number | undefined;
}

export interface Wish {
  /** undefined: the end of the archive. */
  target: RecoveryTarget | undefined;
  /** Label of the backup to begin with; undefined: the best one. */
  backup: string | undefined;
  /** Repository to take it from; undefined: any. `members` stands for each copy of it. */
  from: string | undefined;
}

/**
 * Backups that can bring the cluster to the target, the best first: the newest one, which has the least to replay,
 * in the order of the repositories. The others are there for the case that the best is damaged. Refused when there is
 * none: the error shows what can be reached.
 */
export function chooseBackups(observed: BackupObservation, wish: Wish): [Candidate, ...Candidate[]] {
  const { repositories } = observed;
  if (repositories.length === 0) {
    throw new RefusedError({
      code: 'no-backups',
      message: 'the manifest asks for no backups, so there is nothing to restore from',
      hint: 'remove `repositories: []` from spec.backup',
    });
  }
  const named = repositories.filter(({ name }) => isNamed(name, wish.from));
  if (named.length === 0) {
    throw new RefusedError({
      code: 'no-such-repository',
      message: `there is no repository "${wish.from}"`,
      hint: `repositories: ${repositories.map(({ name }) => name).join(', ')}`,
    });
  }
  const sets = named.flatMap(repository =>
    repository.backups
      .filter(({ id }) => wish.backup === undefined || id === wish.backup)
      .map(set => ({ repository, set })),
  );
  if (sets.length === 0) throw nothingThere(named, wish);
  const fit = sets.flatMap(({ repository, set }) => {
    const timeline = fits(repository, set, wish.target, observed);
    return timeline === false ? [] : [{ repository: repository.name, set, timeline }];
  });
  const order = repositories.map(({ name }) => name);
  fit.sort(
    (a, b) =>
      Date.parse(b.set.finishedAt) - Date.parse(a.set.finishedAt) ||
      order.indexOf(a.repository) - order.indexOf(b.repository),
  );
  const [best, ...others] = fit;
  if (best === undefined) throw outside({ ...observed, repositories: named }, wish);
  return [best, ...others];
}

function isNamed(name: string, wanted: string | undefined): boolean {
  return wanted === undefined || name === wanted || name.startsWith(`${wanted}/`);
}

/** The timeline on which the set reaches the target; false: it does not. */
function fits(
  repository: RepositoryFacts,
  set: BackupSet,
  target: RecoveryTarget | undefined,
  observed: BackupObservation,
): number | undefined | false {
  const { archive } = repository;
  const early = target?.kind === 'time' && usableFrom(set) > Date.parse(target.at);
  if (early || (target?.kind === 'lsn' && lsnBytes(set.lsn.stop) > lsnBytes(target.lsn))) return false;
  if (target?.kind === 'immediate') return set.timeline;
  if (archive === undefined) return undefined;
  const latest = latestTimeline(archive);
  if (target?.kind === 'time') {
    const at = Date.parse(target.at);
    const timeline = timelineAt(archive, at, segmentBytesOf(repository.backups));
    const reach = reachOf(set, archive, timeline);
    if (reach === undefined) return false;
    if (reach.missing !== undefined && at > Date.parse(lastMoment(reach, set, observed))) return false;
    return timeline;
  }
  const timeline = reachOf(set, archive, latest) === undefined ? set.timeline : latest;
  const reach = reachOf(set, archive, timeline);
  if (reach === undefined) return false;
  if (target?.kind !== 'lsn') return target === undefined && timeline !== latest ? false : timeline;
  const wanted = lsnBytes(target.lsn);
  if (wanted < reach.endLsn) return timeline;
  // What the primary has written and not archived yet is fetched before the restore begins.
  const { lsn: present } = observed.archiver ?? {};
  const archivable = reach.missing === undefined && present !== undefined && wanted <= lsnBytes(present);
  return archivable ? timeline : false;
}

function nothingThere(named: RepositoryFacts[], wish: Wish): RefusedError {
  const known = named.flatMap(({ name, backups }) => backups.map(({ id }) => `${id} (${name})`));
  const problems = named.flatMap(({ name, problem }) =>
    problem === undefined ? [] : [`${name}: ${problem}`],
  );
  return new RefusedError({
    code: wish.backup === undefined || known.length === 0 ? 'no-backup' : 'no-such-backup',
    message:
      wish.backup === undefined || known.length === 0
        ? 'there is no backup to restore from'
        : `there is no backup "${wish.backup}"`,
    detail: problems.length > 0 ? problems.join('\n') : undefined,
    hint:
      known.length > 0
        ? `backups: ${known.join(', ')}`
        : 'take one first: pgherd backup, or name another repository with --from',
  });
}

function outside(observed: BackupObservation, wish: Wish): RefusedError {
  const { target, backup } = wish;
  const windows = recoverableWindows(observed).map(
    ({ repository, from, to, fromLsn, toLsn, missing }) =>
      `${repository}: ${from} to ${to ?? 'now'} (${fromLsn} to ${toLsn})${missing === undefined ? '' : `; then ${missing} is missing`}`,
  );
  const unusable = windows.length === 0 ? 'no backup has all the WAL that it needs' : undefined;
  return new RefusedError({
    code: 'target-outside-window',
    message: `${targetText(target)} cannot be reached${backup === undefined ? '' : ` with backup ${backup}`}: nothing was touched`,
    detail: unusable ?? `what can be reached:\n${windows.map(line => `  ${line}`).join('\n')}`,
    hint: windows.length === 0 ? 'pgherd backup takes a new one' : 'choose a target within',
  });
}
