/** Proving backups: each is restored for real, replayed to the end of the archive, checked, and thrown away. */
import { performance } from 'node:perf_hooks';
import type { BackupSet, RepositoryFacts } from '../core/schedule/facts.ts';
import { PROOFS, type Proof, parseProofs, withProof } from '../core/schedule/proof.ts';
import { latestTimeline, reachOf } from '../core/schedule/reach.ts';
import { shortfall } from '../core/schedule/shortfall.ts';
import { codeOf, messageOf, PgherdError, RefusedError } from '../lib/errors.ts';
import type { BackupContext, PlatformCluster, Scratch } from '../platform/contract.ts';
import { readLedgers } from './ledger.ts';
import { noteDamage, ownSegmentMissing, readDatabases } from './restore.ts';

export interface VerifyWish {
  /** Name of a repository, or of a group of them (`members`); undefined: all. */
  repository: string | undefined;
  /** Label; undefined: the newest of each. */
  backup: string | undefined;
}

const DISCARD_MS = 120_000;

/**
 * Proves backups, one for each repository, with WAL from that repository alone. What is found wrong is in the proofs,
 * which are remembered. Rejects with a RefusedError when there is nothing to prove. The caller holds the lock of
 * backups.
 */
export async function verifyBackups(
  cluster: PlatformCluster,
  wish: VerifyWish,
  context: BackupContext,
): Promise<Proof[]> {
  context.progress('looking at the backups');
  await cluster.restores.sweep(new Date());
  await cluster.restores.archiveNow(context.signal);
  const { repositories } = await cluster.backups.observe({ archive: true }, context.signal);
  const chosen = choose(repositories, wish);
  const proofs: Proof[] = [];
  for (const { repository, set } of chosen) {
    const proof = await prove(cluster, repository, set, context);
    const known = parseProofs(await cluster.backups.memory.read(PROOFS));
    await cluster.backups.memory.write(PROOFS, withProof(known, proof));
    if (proof.outcome === 'damaged') {
      await noteDamage(cluster, repository.name, set.id, proof.problems.join('; '));
    }
    proofs.push(proof);
  }
  return proofs;
}

function choose(
  repositories: RepositoryFacts[],
  { repository, backup }: VerifyWish,
): { repository: RepositoryFacts; set: BackupSet }[] {
  const named = repositories.filter(
    ({ name }) => repository === undefined || name === repository || name.startsWith(`${repository}/`),
  );
  const chosen = named.flatMap(candidate => {
    const set = candidate.backups.findLast(({ id }) => backup === undefined || id === backup);
    return set === undefined ? [] : [{ repository: candidate, set }];
  });
  if (chosen.length > 0) return chosen;
  throw new RefusedError({
    code: named.length === 0 ? 'no-such-repository' : 'no-backup',
    message:
      named.length === 0
        ? `there is no repository "${repository}"`
        : `there is no backup ${backup === undefined ? 'yet' : `"${backup}"`} to verify`,
    detail:
      named.flatMap(({ name, problem }) => (problem ? [`${name}: ${problem}`] : [])).join('\n') || undefined,
    hint:
      named.length === 0
        ? `repositories: ${repositories.map(({ name }) => name).join(', ')}`
        : 'take one: pgherd backup',
  });
}

async function prove(
  cluster: PlatformCluster,
  repository: RepositoryFacts,
  set: BackupSet,
  context: BackupContext,
): Promise<Proof> {
  const begun = performance.now();
  const own = { repository: repository.name, backup: set.id };
  const proof = (facts: Omit<Proof, 'repository' | 'backup' | 'at' | 'durationMs' | 'outcome'>): Proof => ({
    ...own,
    at: new Date().toISOString(),
    durationMs: Math.round(performance.now() - begun),
    outcome: facts.problems.length === 0 ? 'proven' : 'damaged',
    ...facts,
  });
  context.progress(`restoring ${set.id} from ${repository.name}`);
  const { archive } = repository;
  const latest = archive && latestTimeline(archive);
  const onLatest = archive && latest !== undefined && reachOf(set, archive, latest) !== undefined;
  const timeline = onLatest ? latest : set.timeline;
  let scratch: Scratch;
  try {
    scratch = await cluster.restores.restoreInto(
      {
        ...own,
        target: undefined,
        timeline,
        alone: true,
        databaseBytes: set.databaseBytes,
        purpose: 'verify',
      },
      context,
    );
  } catch (error) {
    context.signal.throwIfAborted();
    // What this machine lacks says nothing of the backup.
    if (error instanceof RefusedError) throw error;
    if (
      !(error instanceof PgherdError) ||
      !['backup-damaged', 'scratch-failed'].includes(codeOf(error) ?? '')
    ) {
      throw error;
    }
    return proof({ problems: await causes(cluster, repository.name, set, error, context) });
  }
  try {
    const problems: string[] = [];
    const missing = archive && shortfall(set, archive, timeline, scratch.reached.lsn);
    if (missing !== undefined) {
      const state = await cluster.restores.checkSegment(repository.name, missing, context.signal);
      problems.push(
        `WAL segment ${missing} ${state === 'missing' ? 'is missing' : state === 'damaged' ? 'is damaged' : 'could not be replayed'}: everything later is out of reach`,
      );
    }
    context.progress(`checking ${set.id} from ${repository.name}`);
    const names = (await readDatabases(scratch, context.signal)).map(({ name }) => name);
    const ledgers = await readLedgers(scratch, names, context.signal);
    problems.push(
      ...ledgers
        .filter(({ broken }) => broken > 0)
        .map(({ database, broken }) => `the ledger in ${database} is broken at ${broken} rows`),
      ...(await scratch.checkStructure(context)),
      ...((await scratch.checkPages(context)) ?? []),
    );
    const { lsn, lastCommitAt } = scratch.reached;
    const ledgerRows = ledgers.reduce((sum, { rows }) => sum + rows, 0);
    return proof({ problems, lsn, lastCommitAt, ...(ledgers.length > 0 && { ledgerRows }) });
  } finally {
    await cluster.restores.discard(scratch.id, AbortSignal.timeout(DISCARD_MS));
  }
}

/** Why a backup could not be restored: the files and segments that are to blame, and what was said. */
async function causes(
  cluster: PlatformCluster,
  repository: string,
  set: BackupSet,
  error: PgherdError,
  context: BackupContext,
): Promise<string[]> {
  context.progress(`looking for what is damaged in ${repository}`);
  const { signal } = context;
  const said = codeOf(error) === 'scratch-failed' || error.detail === undefined ? '' : `: ${error.detail}`;
  const segment = await ownSegmentMissing(cluster, repository, set, signal);
  // A repository that cannot be read at all has said so already.
  const files = await cluster.restores.nameDamage(repository, signal).catch(() => []);
  signal.throwIfAborted();
  return [...(segment === undefined ? [] : [segment]), ...files, `${messageOf(error)}${said}`];
}
