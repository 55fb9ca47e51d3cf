/** That a cutover was begun and is not finished: one file, which whoever comes next finishes by. */
import { join } from 'node:path';
import { z } from 'zod';
import { readIfExists } from '../../../../lib/files.ts';
import type { Paths } from '../../layout.ts';
import { StateError } from '../../record.ts';
import { scratchFile } from './record.ts';

const swap = z.object({
  schema: z.literal(1),
  keepUntil: z.string(),
  stamp: z.string(),
  primary: z.string(),
  scratch: scratchFile.omit({ schema: true, owner: true }).extend({ owned: z.boolean() }),
});

export type Swap = z.infer<typeof swap>;

export function swapFile(paths: Paths): string {
  return join(paths.root, 'swap.json');
}

export async function readSwap(paths: Paths): Promise<Swap | undefined> {
  const text = await readIfExists(swapFile(paths));
  if (text === undefined) return undefined;
  try {
    return swap.parse(JSON.parse(text));
  } catch (cause) {
    throw new StateError({
      code: 'state-unreadable',
      message: `${swapFile(paths)} cannot be understood`,
      hint: 'it says that a cutover was begun and not finished; it was damaged, or written by another version of pgherd',
      cause,
    });
  }
}
