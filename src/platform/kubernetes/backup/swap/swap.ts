/**
 * Restored data in the place of a cluster's data. What was begun is noted where Patroni is paused, and how far it came is
 * seen by where data lie: whoever comes next goes on there. While Patroni is paused it starts no server, so nobody takes
 * the lead on old data, also when a pod is made anew meanwhile.
 */
import { PgherdError, RefusedError } from '../../../../lib/errors.ts';
import type { ApplyContext, ScratchRecord, SqlSession, SwapOptions, SwapResult } from '../../../contract.ts';
import { podName } from '../../objects/names.ts';
import { primaryOf } from '../../patroni/view.ts';
import type { KubeBackupInput } from '../input.ts';
import { restoreNote } from '../scratch/record.ts';
import type { RestoreShell } from '../scratch/shell.ts';
import { asideName, asidePaths, SWAP_PLACES, type SwapNote, swapOf } from './note.ts';
import { Pausing } from './pausing.ts';

const UNDO_MS = 15_000;
const STOP_MS = 900_000;
const PRIMARY_MS = 600_000;

export interface SwapMeans {
  input: KubeBackupInput;
  member(name: string): RestoreShell;
  session(member: string, signal: AbortSignal): Promise<SqlSession>;
  discard(id: string, signal: AbortSignal): Promise<void>;
}

/** Whether restored data wait beside the place of the data, and whether there is anything in that place. */
const LOOK = `if [ -e "$1" ]; then echo brought; elif [ -s "$2/PG_VERSION" ]; then echo there; else echo nothing; fi`;
const STOP = 'if pg_ctl status -D "$1" >/dev/null; then pg_ctl stop -D "$1" -m fast -t 870 >/dev/null; fi';
/** A name that is taken was given by this cutover before. */
const SET_ASIDE = 'if [ -e "$1" ] && [ ! -e "$2" ]; then mv "$1" "$2"; sync -f "$3"; fi';
const PUT = 'set -e; [ ! -e "$2" ]; mv "$1" "$2"; sync -f "$3"';

export async function swapIn(
  means: SwapMeans,
  scratch: ScratchRecord,
  options: SwapOptions,
  context: ApplyContext,
): Promise<SwapResult> {
  const { input } = means;
  const { signal, progress } = context;
  const pausing = new Pausing(input);
  const swap = await begin(means, pausing, scratch, options, signal);
  const { primary, aside } = swap;
  const { data, place } = SWAP_PLACES;
  const brought = SWAP_PLACES.brought(swap.scratch.id);
  const state = (await means.member(primary).run(LOOK, [brought, data], signal)).trim();
  if (state === 'nothing') throw lost(swap);
  if (state === 'brought') {
    const members = Array.from({ length: input.spec.instances }, (_, n) => podName(input.ref.name, n));
    const others = members.filter(name => name !== primary);
    // The primary last, so that it has everything, and what it still had to archive.
    for (const batch of [others, [primary]]) {
      if (batch.length > 0) progress(`stopping ${batch.join(', ')}`);
      await Promise.all(batch.map(name => means.member(name).run(STOP, [data], signal, STOP_MS)));
    }
    progress('setting the old data aside');
    const away = [data, SWAP_PLACES.aside(aside.name), place];
    await Promise.all(others.map(name => means.member(name).run(SET_ASIDE, away, signal)));
    await means.member(primary).run(SET_ASIDE, away, signal);
    await means.member(primary).run(PUT, [brought, data, place], signal);
  }
  if (await pausing.isPaused(signal)) {
    progress(`starting ${primary} on the restored data`);
    await pausing.resume(signal);
  }
  await pausing.waking(
    `${primary} to take the lead on the restored data`,
    PRIMARY_MS,
    signal,
    async inner => {
      if (primaryOf(await input.look(inner))?.name !== primary) return undefined;
      await using session = await means.session(primary, inner);
      const [row] = await session.query('SELECT pg_is_in_recovery() AS standby');
      return row?.standby === false ? true : undefined;
    },
  );
  await means.discard(swap.scratch.id, signal);
  await pausing.end(signal);
  return { primary, aside: asidePaths(aside), othersFollow: true };
}

/** Patroni is paused by it, unless data were exchanged before. */
async function begin(
  { input, member }: SwapMeans,
  pausing: Pausing,
  scratch: ScratchRecord,
  { keepUntil, onBegun }: SwapOptions,
  signal: AbortSignal,
): Promise<SwapNote> {
  const begun = swapOf(await pausing.config(signal));
  if (begun !== undefined && begun.scratch.id !== scratch.id) {
    throw new RefusedError({
      code: 'swap-unfinished',
      message: `the cutover to restore ${begun.scratch.id} was begun and has to be finished first`,
      hint: `pgherd restore ${input.spec.name} --cutover ${begun.scratch.id}`,
    });
  }
  const primary = begun?.primary ?? primaryOf(await input.look(signal))?.name ?? '';
  const brought = SWAP_PLACES.brought(scratch.id);
  const state = await member(primary).run(LOOK, [brought, SWAP_PLACES.data], signal);
  if (begun !== undefined && state.trim() !== 'brought') return begun;
  if (state.trim() !== 'brought') {
    throw new PgherdError({
      code: 'not-brought',
      message: `the restored data are not on the volume of ${primary}, it has become the primary just now`,
      hint: 'run the command again: nothing was touched',
    });
  }
  const members = Array.from({ length: input.spec.instances }, (_, n) => podName(input.ref.name, n));
  const swap: SwapNote = begun ?? {
    primary,
    aside: {
      name: asideName(scratch.id, new Date()),
      keepUntil: keepUntil.toISOString(),
      why: `the data before the cutover to restore ${scratch.id}`,
      members,
    },
    scratch: restoreNote.parse(scratch),
  };
  await pausing.begin(swap, signal);
  await onBegun?.();
  try {
    await pausing.untilPaused(signal);
  } catch (error) {
    // Nothing was stopped yet; what an earlier run has stopped stays for the next one.
    if (begun === undefined) await pausing.abandon(swap, AbortSignal.timeout(UNDO_MS));
    throw error;
  }
  return swap;
}

function lost({ primary, aside, scratch }: SwapNote): PgherdError {
  return new PgherdError({
    code: 'swap-lost',
    message: `the volume of ${primary} has neither the restored data nor any other`,
    detail: `the old data are kept: ${asidePaths(aside).join(', ')}; the restore ${scratch.id} too, in its pod`,
    hint: `by hand: move one of them to ${SWAP_PLACES.data} on ${primary}, and run the command again`,
  });
}
