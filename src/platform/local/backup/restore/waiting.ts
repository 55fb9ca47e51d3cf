/** What restores have left for a person to decide. */
import type { RestoreFacts } from '../../../../core/schedule/facts.ts';
import { targetText } from '../../../../core/schedule/target.ts';
import type { Paths } from '../../layout.ts';
import { readScratch, scratchIds } from './record.ts';
import { readSwap } from './swapFile.ts';

/** Rejects with a StateError where what a cutover noted cannot be understood. */
export async function restoreFacts(paths: Paths): Promise<RestoreFacts> {
  const begun = (await readSwap(paths))?.scratch;
  const files = await Promise.all((await scratchIds(paths)).map(id => readScratch(paths, id)));
  const waiting = files
    .filter(file => file !== undefined)
    .filter(({ id, purpose, reached }) => purpose === 'restore' && reached !== undefined && id !== begun?.id)
    .sort((a, b) => a.createdAt.localeCompare(b.createdAt))
    .map(({ id, createdAt, target, reached }) => ({
      id,
      createdAt,
      target: targetText(target),
      lastCommitAt: reached?.lastCommitAt,
    }));
  return {
    waiting,
    cutover: begun && { id: begun.id, target: targetText(begun.target) },
  };
}
