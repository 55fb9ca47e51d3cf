/** Backups that are killed, and two at once. */
import { runBackup } from '../../backup/physical.ts';
import { codeOf, messageOf } from '../../lib/errors.ts';
import { LockedError } from '../../lib/lock.ts';
import { sleep } from '../../lib/time.ts';
import { type RehearsalStage, type Rehearsed, secondsSince } from './stage.ts';

const KILLED_AFTER_MS = [1_500, 3_000];
const FREE_MS = 120_000;

/** Incremental ones: retention lets no older full one go for them. */
export async function killBackup(stage: RehearsalStage): Promise<Rehearsed> {
  const { cluster, operations, context, repository, began } = stage;
  const { signal } = context;
  const found: Rehearsed = { notes: [], broken: [] };
  const listed = async () => {
    const { repositories } = await cluster.backups.observe({ archive: false }, signal);
    return repositories.find(({ name }) => name === repository)?.backups.map(({ id }) => id) ?? [];
  };
  const before = await listed();
  for (const afterMs of KILLED_AFTER_MS) {
    context.progress(`a backup, killed after ${afterMs} ms`);
    const words = ['--type', 'incremental', '--repo', repository];
    began(await operations.crash('backup', afterMs, signal, words));
  }
  const begun = performance.now();
  await untilFree(stage, found);
  context.progress('two backups at once');
  began(`two incremental backups into ${repository} at once`);
  const both = await Promise.allSettled([backup(stage), backup(stage)]);
  signal.throwIfAborted();
  const done = both.filter(result => result.status === 'fulfilled').flatMap(({ value }) => value);
  const refused = both.filter(result => result.status === 'rejected');
  for (const error of done)
    if (error !== undefined) found.broken.push(`one of two failed: ${messageOf(error)}`);
  if (done.length !== 1 || !refused.every(({ reason }) => reason instanceof LockedError)) {
    const said = refused.map(({ reason }) => messageOf(reason)).join('; ');
    found.broken.push(`of two at once ${done.length} were begun: ${said}`);
  } else found.notes.push(`of two at once one was refused: ${messageOf(refused[0]?.reason)}`);
  const after = await listed();
  const added = after.filter(id => !before.includes(id));
  const lost = before.filter(id => !after.includes(id));
  if (lost.length > 0) found.broken.push(`${lost.join(', ')} went from ${repository}`);
  found.notes.push(`taken in ${secondsSince(begun)}; ${added.join(', ')} stay until their full backup goes`);
  // A killed pgherd may leave pgBackRest to its end; whatever is listed beyond the one above has to be whole.
  if (added.length > 1 + KILLED_AFTER_MS.length)
    found.broken.push(`${added.length} backups are listed: ${added}`);
  return found;
}

/** Resolves with why it failed; undefined: it was taken. Rejects with LockedError where somebody else is at it. */
async function backup({ cluster, repository, context }: RehearsalStage): Promise<unknown> {
  const options = { type: 'incremental' as const, repositories: [repository], actor: 'drill', lockWaitMs: 0 };
  const { results } = await runBackup(cluster, options, context);
  const [result] = results;
  return result?.ok === true ? undefined : result?.error;
}

/** What a killed command has begun, pgBackRest may bring to its end; the next one is refused until then. */
async function untilFree(stage: RehearsalStage, found: Rehearsed): Promise<void> {
  const begun = performance.now();
  let error: unknown = await backup(stage);
  while (codeOf(error) === 'backup-running' && performance.now() - begun < FREE_MS) {
    await sleep(1_000, stage.context.signal);
    error = await backup(stage);
  }
  if (error === undefined)
    found.notes.push(`the next backup was taken ${secondsSince(begun)} after the kill`);
  else found.broken.push(`the next backup failed: ${messageOf(error)}`);
}
