/** Physical backups: what happens in which order. The platform knows how. */
import { performance } from 'node:perf_hooks';
import type { ArchiverFacts, BackupSet, BackupType } from '../core/schedule/facts.ts';
import { messageOf, PgherdError, RefusedError } from '../lib/errors.ts';
import { sleep } from '../lib/time.ts';
import type { BackupContext, Expired, PlatformCluster } from '../platform/contract.ts';

const LOCK_WAIT_MS = 10_000;
/** How long WAL may take to flow again once a repository was made. */
const ARCHIVE_MS = 15_000;

export interface BackupOptions {
  type: BackupType;
  /** Names of repositories; undefined: all. */
  repositories?: string[] | undefined;
  /** A person's command, or `keeper`: for the journal. */
  actor?: string | undefined;
  /** How long to wait for other backup work; default 10 s. */
  lockWaitMs?: number | undefined;
}

export interface BackupOutcome {
  /** One for each repository, in their order. */
  results: BackupResult[];
  durationMs: number;
}

export type BackupResult = { repository: string; durationMs: number } & (
  | { ok: true; set: BackupSet }
  | { ok: false; error: unknown }
);

/**
 * Takes a backup into each repository, one after the other: what fails in one does not keep the others from theirs.
 * Retention is applied by each as soon as its backup is complete. Rejects with RefusedError where there is nothing to
 * back up into, with LockedError while other backup work is under way, or when aborted.
 */
export async function runBackup(
  cluster: PlatformCluster,
  options: BackupOptions,
  context: BackupContext,
): Promise<BackupOutcome> {
  const started = performance.now();
  const chosen = chooseRepositories(cluster, options.repositories);
  await using _lock = await cluster.backups.lock(`${options.type} backup`, {
    waitMs: options.lockWaitMs ?? LOCK_WAIT_MS,
    signal: context.signal,
    onWait: holder => context.progress(`waiting for ${holder}`),
  });
  context.progress('looking at the repositories');
  const { done, failed } = await cluster.backups.provision(context.signal);
  for (const message of done) await note(cluster, options, 'repository-made', 'backups', message);
  if (done.length > 0) await untilArchiving(cluster, context);
  const results: BackupResult[] = [];
  for (const repository of chosen) {
    const began = performance.now();
    const problem = failed.find(failure => failure.repository === repository)?.problem;
    const result = await attempt(cluster, repository, problem, options, context);
    const durationMs = performance.now() - began;
    results.push({ repository, durationMs, ...result });
    const message = result.ok
      ? `${result.set.type} backup ${result.set.id} in ${repository}`
      : `${options.type} backup into ${repository}: ${messageOf(result.error)}`;
    await note(cluster, options, result.ok ? 'backup-taken' : 'backup-failed', repository, message);
  }
  return { results, durationMs: performance.now() - started };
}

async function attempt(
  cluster: PlatformCluster,
  repository: string,
  problem: string | undefined,
  { type }: BackupOptions,
  context: BackupContext,
): Promise<{ ok: true; set: BackupSet } | { ok: false; error: unknown }> {
  try {
    if (problem !== undefined) {
      throw new PgherdError({
        code: 'repository-not-ready',
        message: `${repository} is not ready: ${problem}`,
        hint: `see \`pgherd backups ${cluster.ref.name}\`; the control plane tries again by itself`,
      });
    }
    return { ok: true, set: await cluster.backups.backup({ repository, type }, context) };
  } catch (error) {
    context.signal.throwIfAborted();
    return { ok: false, error };
  }
}

/** Deletes what retention does not keep, or says what would go. */
export async function expire(
  cluster: PlatformCluster,
  options: { repositories?: string[] | undefined; dryRun: boolean },
  context: BackupContext,
): Promise<Expired[]> {
  const chosen = chooseRepositories(cluster, options.repositories);
  await using _lock = await cluster.backups.lock('expire', {
    waitMs: LOCK_WAIT_MS,
    signal: context.signal,
    onWait: holder => context.progress(`waiting for ${holder}`),
  });
  const expired: Expired[] = [];
  for (const repository of chosen) {
    context.progress(`looking for what ${repository} need not keep`);
    const result = await cluster.backups.expire({ repository, dryRun: options.dryRun }, context);
    expired.push(result);
    if (options.dryRun || result.backups.length === 0) continue;
    const message = `${result.backups.join(', ')} went from ${repository}`;
    await note(cluster, { actor: 'expire' }, 'backup-expired', repository, message);
  }
  return expired;
}

/** Repositories by name. Refused where there are none, or none of this name. */
export function chooseRepositories({ backups }: PlatformCluster, names: string[] | undefined): string[] {
  if (backups.repositories.length === 0) {
    throw new RefusedError({
      code: 'no-repositories',
      message: 'this cluster has no repositories: its manifest says `backup: { repositories: [] }`',
      hint: 'delete that line, and run `pgherd up` with the manifest',
    });
  }
  if (names === undefined || names.length === 0) return backups.repositories;
  // "members" means the copies of all members.
  const chosen = backups.repositories.filter(known =>
    names.some(name => known === name || known.startsWith(`${name}/`)),
  );
  const unknown = names.find(name => !chosen.some(known => known === name || known.startsWith(`${name}/`)));
  if (unknown === undefined) return chosen;
  throw new RefusedError({
    code: 'no-such-repository',
    message: `there is no repository "${unknown}"`,
    hint: `repositories of this cluster: ${backups.repositories.join(', ')}`,
  });
}

/** A backup that begins while the archive still fails would wait for its WAL in vain. */
async function untilArchiving(cluster: PlatformCluster, context: BackupContext): Promise<void> {
  const until = performance.now() + ARCHIVE_MS;
  let archiver: ArchiverFacts | undefined;
  do {
    archiver = await cluster.backups.archiver(context.signal);
    if (archiver?.failingSince === undefined) return;
    await sleep(500, context.signal);
  } while (performance.now() < until);
}

async function note(
  cluster: PlatformCluster,
  { actor }: { actor?: string | undefined },
  event: string,
  subject: string,
  message: string,
): Promise<void> {
  await cluster.journal.append({ actor: actor ?? 'backup', event, subject, message, reason: undefined });
}
