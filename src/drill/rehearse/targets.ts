/** Restores that lead nowhere. */
import { restoreBeside } from '../../backup/restore.ts';
import { parseTarget } from '../../core/schedule/target.ts';
import { recoverableWindows } from '../../core/schedule/window.ts';
import { messageOf, PgherdError, RefusedError } from '../../lib/errors.ts';
import type { RehearsalStage, Rehearsed } from './stage.ts';

const LOCK_MS = 120_000;
const HOUR_MS = 3_600_000;

export async function refuseTargets({ cluster, context, began }: RehearsalStage): Promise<Rehearsed> {
  await using _lock = await cluster.backups.lock('drill', { waitMs: LOCK_MS, signal: context.signal });
  const observed = await cluster.backups.observe({ archive: true }, context.signal);
  const first = Math.min(...recoverableWindows(observed).map(({ from }) => Date.parse(from)));
  const iso = (ms: number) => new Date(ms).toISOString();
  const asked: [what: string, to: string, backup?: string][] = [
    ['an hour before the first backup', iso(first - HOUR_MS)],
    ['an hour from now', iso(Date.now() + HOUR_MS)],
    ['a position that was never written', 'FFFFFF/0'],
    ['a backup that is not there', 'latest', '20000101-000000F'],
  ];
  const before = (await cluster.restores.scratches()).length;
  const found: Rehearsed = { notes: [], broken: [] };
  for (const [what, to, backup] of asked) {
    began(`restore of ${what}`);
    try {
      const target = parseTarget(to, { now: new Date(), timeZone: 'UTC' });
      const wish = { target, backup, from: undefined, purpose: 'verify' as const };
      const { scratch } = await restoreBeside(cluster, wish, context);
      await cluster.restores.discard(scratch.id, AbortSignal.timeout(LOCK_MS));
      found.broken.push(`${what} was restored`);
    } catch (error) {
      context.signal.throwIfAborted();
      if (!(error instanceof RefusedError))
        found.broken.push(`${what} was not refused but failed: ${messageOf(error)}`);
      const range =
        error instanceof PgherdError ? (error.detail ?? error.hint)?.replaceAll('\n', ' ') : undefined;
      found.notes.push(`${what}: ${messageOf(error)}${range === undefined ? '' : ` (${range})`}`);
    }
  }
  const after = (await cluster.restores.scratches()).length;
  if (after !== before) found.broken.push('something was restored nevertheless');
  return found;
}
