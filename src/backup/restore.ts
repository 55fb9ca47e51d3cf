/** Restoring beside the cluster: the best backup first, another one where it is damaged, and what was reached. */
import { performance } from 'node:perf_hooks';
import { type Candidate, chooseBackups, type Wish } from '../core/schedule/choice.ts';
import type { BackupObservation, BackupSet } from '../core/schedule/facts.ts';
import { shortfall } from '../core/schedule/shortfall.ts';
import { targetText } from '../core/schedule/target.ts';
import { segmentBytesFrom, segmentsBetween } from '../core/schedule/wal.ts';
import { codeOf, messageOf, PgherdError } from '../lib/errors.ts';
import type { BackupContext, PlatformCluster, Scratch, ScratchPurpose } from '../platform/contract.ts';
import { type LedgerFacts, readLedgers } from './ledger.ts';

/** Targets younger than this may lie in what is not archived yet. */
const PRESENT_MS = 3_600_000;
/** Of those that a backup itself needs. */
const CHECKED_SEGMENTS = 64;

/** What could not be used, and why. */
export interface Damage {
  repository: string;
  backup: string;
  problem: string;
}

export interface Restored {
  scratch: Scratch;
  /** Not template databases. */
  databases: { name: string; bytes: number }[];
  ledgers: LedgerFacts[];
  /** Backups that were tried before and found damaged. */
  damage: Damage[];
  durationMs: number;
}

/**
 * Restores what the wish asks for into a scratch; the cluster goes on serving. Rejects with a RefusedError before
 * anything is touched when the target cannot be reached. The caller holds the lock of backups.
 */
export async function restoreBeside(
  cluster: PlatformCluster,
  wish: Wish & { purpose: ScratchPurpose },
  context: BackupContext,
): Promise<Restored> {
  const begun = performance.now();
  const { signal } = context;
  context.progress('looking at the backups');
  if (reachesPresent(wish)) await cluster.restores.archiveNow(signal);
  const observed = await cluster.backups.observe({ archive: true }, signal);
  const candidates = chooseBackups(observed, wish);
  const damage: Damage[] = [];
  const scratch = await firstThatWorks(cluster, candidates, wish, observed, damage, context);
  const databases = await readDatabases(scratch, signal);
  const names = databases.map(({ name }) => name);
  const ledgers = await readLedgers(scratch, names, signal);
  return { scratch, databases, ledgers, damage, durationMs: performance.now() - begun };
}

function reachesPresent({ target }: Wish): boolean {
  if (target === undefined) return true;
  return target.kind === 'time'
    ? Date.now() - Date.parse(target.at) < PRESENT_MS
    : target.kind !== 'immediate';
}

async function firstThatWorks(
  cluster: PlatformCluster,
  candidates: Candidate[],
  wish: Wish & { purpose: ScratchPurpose },
  observed: BackupObservation,
  damage: Damage[],
  context: BackupContext,
): Promise<Scratch> {
  let last: unknown;
  const tried = new Set<string>();
  for (const candidate of candidates) {
    const { repository, set } = candidate;
    // A target that one repository's copy of a backup does not meet, another one's does not either.
    if (tried.has(set.id)) continue;
    try {
      return await tryOne(cluster, candidate, wish, observed, context);
    } catch (error) {
      context.signal.throwIfAborted();
      const code = codeOf(error);
      if (!['backup-damaged', 'scratch-failed', 'target-not-reached'].includes(code ?? '')) throw error;
      if (code === 'target-not-reached') tried.add(set.id);
      else {
        const problem = `${messageOf(error)}${error instanceof PgherdError && error.detail !== undefined ? `: ${error.detail}` : ''}`;
        damage.push({ repository, backup: set.id, problem });
        await noteDamage(cluster, repository, set.id, problem);
      }
      context.progress(`${messageOf(error)}; trying the next backup`);
      last = error;
    }
  }
  if (damage.length === 0) throw last;
  throw new PgherdError({
    code: 'restore-failed',
    message: `no backup could be restored to ${targetText(wish.target)}`,
    detail: damage
      .map(({ repository, backup, problem }) => `${backup} in ${repository}: ${problem}`)
      .join('\n'),
    hint: 'the cluster was not touched; take a new backup: pgherd backup',
    cause: last,
  });
}

async function tryOne(
  cluster: PlatformCluster,
  { repository, set, timeline }: Candidate,
  wish: Wish & { purpose: ScratchPurpose },
  observed: BackupObservation,
  context: BackupContext,
): Promise<Scratch> {
  context.progress(`restoring ${set.id} from ${repository}`);
  const scratch = await cluster.restores.restoreInto(
    {
      repository,
      backup: set.id,
      target: wish.target,
      timeline,
      alone: wish.from !== undefined,
      databaseBytes: set.databaseBytes,
      purpose: wish.purpose,
    },
    context,
  );
  if (wish.target !== undefined && !scratch.reached.endOfArchive) return scratch;
  const archive = observed.repositories.find(({ name }) => name === repository)?.archive;
  const missing = archive && shortfall(set, archive, timeline, scratch.reached.lsn);
  if (missing === undefined) return scratch;
  await cluster.restores.discard(scratch.id, AbortSignal.timeout(120_000));
  const state = await cluster.restores.checkSegment(repository, missing, context.signal);
  throw new PgherdError({
    code: 'backup-damaged',
    message: `the WAL of ${repository} leads only to ${scratch.reached.lsn}`,
    detail: `segment ${missing} ${state === 'missing' ? 'is missing' : state === 'damaged' ? 'is damaged' : 'could not be replayed'}`,
  });
}

/**
 * The first segment without which a backup is not consistent that its repository cannot give, as the beginning of a
 * sentence; undefined: all are there.
 */
export async function ownSegmentMissing(
  cluster: PlatformCluster,
  repository: string,
  { wal, lsn }: BackupSet,
  signal: AbortSignal,
): Promise<string | undefined> {
  const size = segmentBytesFrom({ lsn: lsn.start, segment: wal.first });
  for (const segment of segmentsBetween(wal.first, wal.last, size, CHECKED_SEGMENTS)) {
    const state = await cluster.restores.checkSegment(repository, segment, signal);
    if (state === 'missing' || state === 'damaged')
      return `WAL segment ${segment} is ${state}, and the backup is not consistent without it`;
  }
  return undefined;
}

/** Names and sizes, the largest first. */
export async function readDatabases(
  scratch: Scratch,
  signal: AbortSignal,
): Promise<{ name: string; bytes: number }[]> {
  await using session = await scratch.session('postgres', signal);
  const rows = await session.query(
    `SELECT datname::text AS name, pg_database_size(oid)::text AS bytes FROM pg_database
     WHERE NOT datistemplate AND datallowconn ORDER BY pg_database_size(oid) DESC, datname`,
  );
  return rows.map(({ name, bytes }) => ({ name: String(name), bytes: Number(bytes) }));
}

export async function noteDamage(
  cluster: PlatformCluster,
  repository: string,
  backup: string,
  problem: string,
): Promise<void> {
  await cluster.journal.append({
    actor: 'restore',
    event: 'backup-damaged',
    subject: repository,
    message: `backup ${backup} in ${repository} cannot be used: ${problem}`,
    reason: undefined,
  });
}
