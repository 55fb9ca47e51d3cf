/**
 * Carries out undo steps. Each may be carried out again, by whoever finds it: what is undone already, or what has
 * gone in the meantime, is fine.
 */
import { rename, rm, stat } from 'node:fs/promises';
import { messageOf, PgherdError } from '../../../lib/errors.ts';
import { poll } from '../../../lib/time.ts';
import { readRecord } from '../record.ts';
import { takeUp } from '../runit.ts';
import { thaw } from './cgroup.ts';
import type { FaultContext } from './injector.ts';
import { openInside } from './members.ts';
import { dropRules, raiseLink } from './network.ts';
import { postmasterOf, send } from './processes.ts';
import { putBack, returnModes, unmount } from './repository.ts';
import type { StepOf, UndoStep } from './schema.ts';
import { thawVolume } from './volume.ts';

/** How long a member may take to be built anew before its old data are kept. */
const REBUILD_MS = 40_000;

/** Resolves with a sentence about what was done, or undefined where nothing was left to do. */
export type Undo<K extends UndoStep['kind']> = (
  step: StepOf<K>,
  context: FaultContext,
  signal: AbortSignal,
) => Promise<string | undefined>;

export type Undoers = { [K in UndoStep['kind']]: Undo<K> };

/** Some steps could not be carried out; those that could were. */
export class UndoError extends PgherdError {}

/** Tries every step. Resolves with what was done; rejects with an UndoError afterwards when one failed. */
export async function undoAll(
  steps: UndoStep[],
  undoers: Undoers,
  context: FaultContext,
  signal: AbortSignal,
): Promise<string[]> {
  const done: string[] = [];
  const failed: string[] = [];
  for (const step of steps) {
    try {
      const undo = undoers[step.kind] as Undo<UndoStep['kind']>;
      const sentence = await undo(step, context, signal);
      if (sentence !== undefined) done.push(sentence);
    } catch (error) {
      failed.push(`${step.kind}: ${messageOf(error)}`);
    }
  }
  if (failed.length === 0) return done;
  throw new UndoError({
    code: 'undo-failed',
    message: `${failed.length} of ${steps.length} steps of the undo failed`,
    detail: [...failed, ...done].join('\n'),
  });
}

export const UNDOERS: Undoers = {
  async continue({ processes }) {
    const sent = await send(processes, 'SIGCONT');
    return sent === 0 ? undefined : `SIGCONT to ${processes.map(({ pid }) => pid).join(', ')}`;
  },

  async thaw({ cgroup, home }, _context, signal) {
    const count = await thaw(cgroup, home, signal);
    return count === undefined ? undefined : `${count} processes go on`;
  },

  async 'take-up'({ services }, { paths }, signal) {
    // `up` starts what it wants started.
    if ((await readRecord(paths.record))?.stopped !== false) return undefined;
    const taken = await Promise.all(services.map(name => takeUp(paths.services, name, signal)));
    const names = services.filter((_, n) => taken[n]);
    return names.length === 0 ? undefined : `${names.join(', ')} may run again`;
  },

  /** A restart and a promotion end the pause as well. */
  async replay({ member }, context, signal) {
    if ((await postmasterOf(context.paths, member)) === undefined) return undefined;
    await using session = await openInside(member, context, signal);
    const [row] = await session.query(RESUME);
    return row?.recovering === true ? `${member} replays again` : undefined;
  },

  'lost-data': returnData,

  async 'control-plane'(_step, { reviveControlPlane }) {
    await reviveControlPlane();
    return 'the control plane and the supervisor of the servers run';
  },

  async 'remove-file'({ path }) {
    await rm(path, { force: true });
    return `deleted ${path}`;
  },

  async 'thaw-volume'({ path }, { paths }, signal) {
    return (await thawVolume(path, paths.data, signal)) ? `writes to ${path} go on` : undefined;
  },

  'packet-rules': dropRules,
  'link-up': raiseLink,
  modes: returnModes,
  'put-back': putBack,
  unmount,
};

/** CASE evaluates the function only where it is allowed. */
const RESUME = `
SELECT pg_is_in_recovery() AS recovering,
       CASE WHEN pg_is_in_recovery() THEN pg_wal_replay_resume()::text END AS resumed`;

/**
 * Waits until PostgreSQL runs on new data; then the old ones are a copy that nobody follows any more, and are
 * deleted: only what the drill itself moved. Where the member is not rebuilt in time, nothing is deleted: what was
 * moved is put back, or left aside where something stands in its place.
 */
async function returnData(
  { member, from, to }: StepOf<'lost-data'>,
  { paths }: FaultContext,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (!(await exists(to))) return undefined;
  const rebuilt = async () => ((await postmasterOf(paths, member)) === undefined ? undefined : true);
  const options = { what: `${member} to run on new data`, timeoutMs: REBUILD_MS, everyMs: 100, signal };
  const isRebuilt = await poll(rebuilt, options).catch(() => false);
  signal.throwIfAborted();
  if (isRebuilt) {
    await rm(to, { recursive: true, force: true });
    return `${member} runs on new data; the old ones were deleted`;
  }
  if (await exists(from)) return `the old data of ${member} stay in ${to}: nothing runs on the new ones yet`;
  await rename(to, from);
  return `nobody built ${member} anew: its data are back in ${from}`;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
