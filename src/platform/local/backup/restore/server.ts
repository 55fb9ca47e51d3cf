/** The server of a scratch: prepared on restored data, and watched until recovery has ended. */
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import {
  logErrors,
  parseHistory,
  REPLAY_FAILED,
  renderScratchConfig,
} from '../../../../engine/postgres/scratchConfig.ts';
import { DeadlineError, PgherdError } from '../../../../lib/errors.ts';
import { readIfExists, writeAtomically } from '../../../../lib/files.ts';
import { isAlive, type ProcessId } from '../../../../lib/process.ts';
import { poll, sleep } from '../../../../lib/time.ts';
import type { ApplyContext, Reached } from '../../../contract.ts';
import { readControlData } from '../../controlData.ts';
import type { ClusterRecord } from '../../record.ts';
import { openScratchSession, STOP_MS, startServer, stopServer } from './process.ts';
import type { ScratchPaths } from './record.ts';

/** Without a segment more for so long, something hangs. */
const STALLED_MS = 600_000;
/** What a client is told that looks before the server is ready. */
const NOT_YET = ['57P03'];
const TELL_EVERY_MS = 2000;
const CLOSE_LOOK_MS = 5000;

export interface ServerInput {
  record: ClusterRecord;
  places: ScratchPaths;
  restoreCommand: string;
  target: Parameters<typeof renderScratchConfig>[0]['target'];
  timeline: number | undefined;
  preload: string | undefined;
  disposable: boolean;
}

/** The WAL ended before a target that has to be met. */
export class TargetNotReachedError extends PgherdError {}

/** Prepares restored data for a server of its own. */
export async function prepareServer(input: ServerInput, signal: AbortSignal): Promise<void> {
  const { record, places } = input;
  const owner = process.getuid?.() === 0 ? record.serviceUser : undefined;
  // What was set by ALTER SYSTEM belongs to the cluster, and would go before our own settings.
  await rename(join(places.data, 'postgresql.auto.conf'), places.autoConfig).catch(() => {});
  const control = await readControlData(record, places.data, signal);
  const text = renderScratchConfig({
    dataDirectory: places.data,
    socketDirectory: places.sockets,
    hbaFile: places.hba,
    identFile: places.ident,
    control,
    restoreCommand: input.restoreCommand,
    target: input.target,
    timeline: input.timeline,
    preload: input.preload,
    disposable: input.disposable,
  });
  const users = [...new Set([record.serviceUser.name, 'root'])];
  const options = { mode: 0o600, owner };
  await writeAtomically(places.config, text, options);
  await writeAtomically(places.hba, 'local all postgres peer map=pgherd\n', options);
  await writeAtomically(places.ident, users.map(user => `pgherd ${user} postgres\n`).join(''), options);
  await writeAtomically(join(places.data, 'recovery.signal'), '', options);
}

/**
 * Replays up to the target and ends recovery. A time after the last commit is met by the last commit. Rejects with
 * TargetNotReachedError, or with a PgherdError that holds the end of the server's log.
 */
export async function recover(input: ServerInput, context: ApplyContext): Promise<Reached> {
  const { places, target } = input;
  await prepareServer(input, context.signal);
  const first = await attempt(input, context);
  if (first !== 'not-reached') return first;
  if (target?.kind !== 'time') {
    throw new TargetNotReachedError({
      code: 'target-not-reached',
      message: 'the WAL that there is does not lead to the target',
      detail: await logEnd(places),
      hint: 'see `pgherd backups` for what can be reached, or restore to `latest`',
    });
  }
  // Nothing was committed between the end of the WAL and that time: the end is what was asked for.
  await prepareServer({ ...input, target: undefined }, context.signal);
  const second = await attempt({ ...input, target: undefined }, context);
  if (second === 'not-reached') throw await failed(places);
  // Should that ever be wrong, nobody must take the result for what was asked for.
  if (second.lastCommitAt !== undefined && Date.parse(second.lastCommitAt) > Date.parse(target.at) + 1) {
    throw new PgherdError({
      code: 'target-missed',
      message: `the replay went past ${target.at}, to ${second.lastCommitAt}`,
      detail: await logEnd(places),
    });
  }
  return { ...second, endOfArchive: true };
}

async function attempt(input: ServerInput, context: ApplyContext): Promise<Reached | 'not-reached'> {
  const { places } = input;
  await rename(places.log, `${places.log}.1`).catch(() => {});
  const server = await startServer(input.record, places);
  try {
    return await untilRecovered(input, server, context);
  } catch (error) {
    await stopServer(places, AbortSignal.timeout(STOP_MS)).catch(() => {});
    throw error;
  }
}

async function untilRecovered(
  { places, target }: ServerInput,
  server: ProcessId,
  context: ApplyContext,
): Promise<Reached | 'not-reached'> {
  const { signal } = context;
  let position = '';
  const begun = Date.now();
  let moved = begun;
  let told = Date.now();
  for (;;) {
    signal.throwIfAborted();
    const state = await look(places, signal).catch(() => undefined);
    if (state?.recovering === false) return await readReached(places, state);
    if (!(await isAlive(server))) {
      const errors = logErrors((await readIfExists(places.log)) ?? '');
      const replaying = errors.some(({ sqlstate, pid }) => sqlstate === REPLAY_FAILED && pid !== server.pid);
      if (target !== undefined && replaying) return 'not-reached';
      throw await failed(places);
    }
    const now = state?.lsn ?? `log ${(await readIfExists(places.log))?.length ?? 0}`;
    if (now !== position) moved = Date.now();
    position = now;
    if (state !== undefined && Date.now() - told > TELL_EVERY_MS) {
      told = Date.now();
      const at = state.lastCommitAt === undefined ? '' : `, commits of ${state.lastCommitAt.slice(0, 19)}Z`;
      context.progress(`replaying: ${state.lsn}${at}`);
    }
    if (Date.now() - moved > STALLED_MS) {
      throw new DeadlineError('the replay', STALLED_MS, {
        detail: (await logEnd(places)) ?? '',
        hint: 'the repository may hang',
      });
    }
    // Each look is a connection: a long replay is not looked at as closely as a short one.
    await sleep(Date.now() - begun < CLOSE_LOOK_MS ? 50 : 500, signal);
  }
}

interface Look {
  recovering: boolean;
  lsn: string;
  lastCommitAt: string | undefined;
  timeline: number | undefined;
}

async function look(places: ScratchPaths, signal: AbortSignal): Promise<Look> {
  await using session = await openScratchSession(places, 'postgres', signal, 5000);
  const [row] = await session.query(`
    SELECT pg_is_in_recovery() AS recovering,
      pg_last_wal_replay_lsn()::text AS lsn,
      to_char(pg_last_xact_replay_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at,
      CASE WHEN NOT pg_is_in_recovery()
        THEN ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END AS timeline`);
  return {
    recovering: row?.recovering === true,
    lsn: String(row?.lsn ?? ''),
    lastCommitAt: typeof row?.at === 'string' ? row.at : undefined,
    timeline: typeof row?.timeline === 'number' ? row.timeline : undefined,
  };
}

async function readReached(places: ScratchPaths, state: Look): Promise<Reached> {
  const timeline = state.timeline ?? 1;
  const name = `${timeline.toString(16).toUpperCase().padStart(8, '0')}.history`;
  const history = parseHistory((await readIfExists(join(places.data, 'pg_wal', name))) ?? '');
  return {
    lastCommitAt: state.lastCommitAt,
    lsn: history?.lsn ?? state.lsn,
    timeline,
    reason: history?.reason ?? '',
    endOfArchive: false,
  };
}

/** Starts a scratch that is whole again, after a reboot say, and waits until it answers. */
export async function restartServer(
  record: ClusterRecord,
  places: ScratchPaths,
  signal: AbortSignal,
): Promise<void> {
  const server = await startServer(record, places);
  const answers = await poll(
    async inner => {
      if ((await look(places, inner).catch(() => undefined)) !== undefined) return true;
      return (await isAlive(server)) ? undefined : false;
    },
    { what: 'the restored server to answer', timeoutMs: STALLED_MS, everyMs: 50, signal },
  );
  if (!answers) throw await failed(places);
}

async function logEnd(places: ScratchPaths): Promise<string | undefined> {
  const text = await readIfExists(places.log);
  return text?.trimEnd().split('\n').slice(-8).join('\n');
}

async function failed(places: ScratchPaths): Promise<PgherdError> {
  const log = (await readIfExists(places.log)) ?? '';
  const first = logErrors(log).find(({ sqlstate }) => !NOT_YET.includes(sqlstate));
  return new PgherdError({
    code: 'scratch-failed',
    message: `the restored server does not start: ${first?.text ?? 'it ended without a word'}`,
    detail: await logEnd(places),
  });
}
