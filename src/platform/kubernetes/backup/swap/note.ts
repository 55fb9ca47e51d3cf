/** What Patroni's ConfigMap says of a cutover: the note that one is under way stands where Patroni is paused by it. */
import { z } from 'zod';
import type { AsideFacts } from '../../../../core/schedule/facts.ts';
import { PgherdError } from '../../../../lib/errors.ts';
import type { LiveObject } from '../../api/kinds.ts';
import { parsedJson } from '../../api/parsedJson.ts';
import { DATA_DIRECTORY } from '../../objects/layout.ts';
import { restoreNote } from '../scratch/record.ts';

/** On the ConfigMap of Patroni's configuration, which stays with the volumes. */
export const SWAP_ANNOTATION = 'pgherd.dev/cutover';
export const ASIDE_ANNOTATION = 'pgherd.dev/set-aside';

/** Data lie side by side on a member's volume: moving them is a rename. */
const PLACE: string = DATA_DIRECTORY.slice(0, DATA_DIRECTORY.lastIndexOf('/'));

export const SWAP_PLACES = {
  data: DATA_DIRECTORY,
  /** Restored data, brought here. */
  brought: (id: string) => `${PLACE}/cutover-${id}`,
  aside: (name: string) => `${PLACE}/${name}`,
  place: PLACE,
};

const aside = z.object({
  name: z.string().regex(/^aside-[0-9TZ]+-[0-9a-f]{6}$/),
  keepUntil: z.iso.datetime(),
  why: z.string(),
  members: z.array(z.string()),
});

const swap = z.object({ primary: z.string(), aside, scratch: restoreNote });

export type AsideNote = z.infer<typeof aside>;
export type SwapNote = z.infer<typeof swap>;

/** undefined: none is under way. Throws where it cannot be understood: nobody may go on then. */
export function swapOf(config: LiveObject | undefined): SwapNote | undefined {
  const text = config?.metadata.annotations?.[SWAP_ANNOTATION];
  if (text === undefined) return undefined;
  const { data } = swap.safeParse(parsedJson(text));
  if (data !== undefined) return data;
  throw new PgherdError({
    code: 'state-unreadable',
    message: `the annotation ${SWAP_ANNOTATION} of ConfigMap ${config?.metadata.name} cannot be understood`,
    hint: 'it says that a cutover was begun and not finished; it was damaged, or written by another version of pgherd',
  });
}

/** What cannot be understood is nobody's: it is not deleted. */
export function asideOf(config: LiveObject | undefined): AsideNote[] {
  return z.array(aside).safeParse(parsedJson(config?.metadata.annotations?.[ASIDE_ANNOTATION])).data ?? [];
}

export function asideName(id: string, now: Date): string {
  return `aside-${now.toISOString().replace(/[-:]|\.\d+/g, '')}-${id}`;
}

/** Where the old data of each member are, for people. */
export function asidePaths({ name, members }: AsideNote): string[] {
  return members.map(member => `pod ${member}: ${SWAP_PLACES.aside(name)}`);
}

export function asideFacts(config: LiveObject | undefined): AsideFacts[] {
  return asideOf(config).flatMap(note =>
    asidePaths(note).map(path => ({ path, why: note.why, keepUntil: note.keepUntil })),
  );
}
