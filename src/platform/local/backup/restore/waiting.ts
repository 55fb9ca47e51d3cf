/** What restores have left for a person to decide. */
import type { RestoreFacts } from '../../../../core/schedule/facts.ts';
import { restoreFacts } from '../../../../core/schedule/waiting.ts';
import type { Paths } from '../../layout.ts';
import { readScratch, scratchIds } from './record.ts';
import { readSwap } from './swapFile.ts';

/** Rejects with a StateError where what a cutover noted cannot be understood. */
export async function readRestoreFacts(paths: Paths): Promise<RestoreFacts> {
  const begun = (await readSwap(paths))?.scratch;
  const files = await Promise.all((await scratchIds(paths)).map(id => readScratch(paths, id)));
  return restoreFacts(
    files.filter(file => file !== undefined),
    begun,
  );
}
