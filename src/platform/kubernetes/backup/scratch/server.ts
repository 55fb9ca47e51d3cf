/** The server of a restore: prepared on restored data, and watched until recovery has ended. */
import { performance } from 'node:perf_hooks';
import { parseControlData } from '../../../../engine/postgres/controlData.ts';
import {
  logErrors,
  parseHistory,
  REPLAY_FAILED,
  renderScratchConfig,
} from '../../../../engine/postgres/scratchConfig.ts';
import { DeadlineError, PgherdError } from '../../../../lib/errors.ts';
import { sleep } from '../../../../lib/time.ts';
import type { ApplyContext, Reached } from '../../../contract.ts';
import { SOCKET_DIRECTORY } from '../../objects/layout.ts';
import { PsqlSession } from '../../sql/psqlSession.ts';
import { PLACES, type RestoreShell } from './shell.ts';

export interface ServerWish {
  restoreCommand: string;
  target: Parameters<typeof renderScratchConfig>[0]['target'];
  timeline: number | undefined;
  preload: string | undefined;
  disposable: boolean;
}

/** Without a segment more for so long, something hangs. */
const STALLED_MS = 600_000;
const LOOK_EVERY_MS = 500;
const TELL_EVERY_MS = 2000;
const STOP_MS = 90_000;
/** What a client is told that looks before the server is ready. */
const NOT_YET = '57P03';

/** Prints the server's process. The log begins anew; whether the server comes up is seen later. */
const START = `
: >"$3"
pg_ctl start -W -D "$1" -l "$3" -o "-c config_file=$2" </dev/null >/dev/null 2>&1
for _ in 1 2 3 4 5 6 7 8 9 10; do [ ! -s "$1/postmaster.pid" ] || break; sleep 0.1; done
head -n 1 "$1/postmaster.pid" 2>/dev/null || true`;

/**
 * Replays up to the target and ends recovery. A time after the last commit is met by the last commit. Rejects with a
 * PgherdError of the contract's codes.
 */
export async function recover(
  shell: RestoreShell,
  wish: ServerWish,
  context: ApplyContext,
): Promise<Reached> {
  const { target } = wish;
  const first = await attempt(shell, wish, context);
  if (first !== 'not-reached') return first;
  if (target?.kind !== 'time') {
    throw new PgherdError({
      code: 'target-not-reached',
      message: 'the WAL that there is does not lead to the target',
      detail: (await shell.readFile(PLACES.log, context.signal)).trimEnd().split('\n').slice(-8).join('\n'),
      hint: 'see `pgherd backups` for what can be reached, or restore to `latest`',
    });
  }
  // Nothing was committed between the end of the WAL and that time: the end is what was asked for.
  const second = await attempt(shell, { ...wish, target: undefined }, context);
  if (second === 'not-reached') throw await failed(shell, context.signal);
  // Should that ever be wrong, nobody must take the result for what was asked for.
  if (second.lastCommitAt !== undefined && Date.parse(second.lastCommitAt) > Date.parse(target.at) + 1) {
    throw new PgherdError({
      code: 'target-missed',
      message: `the replay went past ${target.at}, to ${second.lastCommitAt}`,
    });
  }
  return { ...second, endOfArchive: true };
}

/** Starts one whose recovery has ended. May be repeated. */
export async function startAgain(shell: RestoreShell, signal: AbortSignal): Promise<void> {
  const script = `if ! pg_ctl status -D "$1" >/dev/null; then
    pg_ctl start -w -t 80 -D "$1" -l "$3" -o "-c config_file=$2" </dev/null >/dev/null 2>&1
  fi`;
  await shell.run(script, [PLACES.data, PLACES.config, PLACES.log], signal, STOP_MS);
}

/** Fast shutdown. May be repeated. */
export async function stopServer(shell: RestoreShell, signal: AbortSignal): Promise<void> {
  const script = 'if pg_ctl status -D "$1" >/dev/null; then pg_ctl stop -D "$1" -m fast -t 80; fi';
  await shell.run(script, [PLACES.data], signal, STOP_MS);
}

async function prepare(shell: RestoreShell, wish: ServerWish, signal: AbortSignal): Promise<void> {
  // What was set by ALTER SYSTEM belongs to the cluster, and would go before our own settings.
  const read =
    'if [ -e "$1/postgresql.auto.conf" ]; then mv "$1/postgresql.auto.conf" "$2"; fi; LC_ALL=C pg_controldata -D "$1"';
  const control = parseControlData(await shell.run(read, [PLACES.data, PLACES.autoConfig], signal));
  if (control === undefined) {
    throw new PgherdError({
      code: 'control-data-unknown',
      message: 'what pg_controldata says of the restored data cannot be understood',
    });
  }
  const text = renderScratchConfig({
    dataDirectory: PLACES.data,
    socketDirectory: SOCKET_DIRECTORY,
    hbaFile: PLACES.hba,
    identFile: PLACES.ident,
    control,
    ...wish,
  });
  const user = (await shell.run('id -un', [], signal)).trim();
  await shell.writeFile(PLACES.config, text, signal);
  await shell.writeFile(PLACES.hba, 'local all postgres peer map=pgherd\n', signal);
  await shell.writeFile(PLACES.ident, `pgherd ${user} postgres\n`, signal);
  await shell.writeFile(`${PLACES.data}/recovery.signal`, '', signal);
}

async function attempt(
  shell: RestoreShell,
  wish: ServerWish,
  context: ApplyContext,
): Promise<Reached | 'not-reached'> {
  const { signal } = context;
  await prepare(shell, wish, signal);
  const server = Number.parseInt(
    await shell.run(START, [PLACES.data, PLACES.config, PLACES.log], signal),
    10,
  );
  const begun = performance.now();
  let moved = begun;
  let told = begun;
  let position = '';
  for (;;) {
    const state = await look(shell, signal).catch(() => undefined);
    signal.throwIfAborted();
    if (state?.recovering === false) return await readReached(shell, state, signal);
    const alive = await shell.try('pg_ctl status -D "$1" >/dev/null', [PLACES.data], signal);
    const log = await shell.readFile(PLACES.log, signal);
    if (alive.code !== 0 && performance.now() - begun > LOOK_EVERY_MS) {
      const replaying = logErrors(log).some(
        ({ sqlstate, pid }) => sqlstate === REPLAY_FAILED && !Number.isNaN(server) && pid !== server,
      );
      if (wish.target !== undefined && replaying) return 'not-reached';
      throw await failed(shell, signal);
    }
    const now = performance.now();
    const where = state?.lsn ?? `log ${log.length}`;
    if (where !== position) moved = now;
    position = where;
    if (state !== undefined && now - told > TELL_EVERY_MS) {
      told = now;
      context.progress(`replaying: ${state.lsn}`);
    }
    if (now - moved > STALLED_MS) {
      throw new DeadlineError('the replay', STALLED_MS, { hint: 'the repository may hang' });
    }
    await sleep(LOOK_EVERY_MS, signal);
  }
}

interface Look {
  recovering: boolean;
  lsn: string;
  lastCommitAt: string | undefined;
  timeline: number | undefined;
}

async function look({ client, target }: RestoreShell, signal: AbortSignal): Promise<Look> {
  await using session = await PsqlSession.open(client, target, 'postgres', signal);
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

async function readReached(shell: RestoreShell, state: Look, signal: AbortSignal): Promise<Reached> {
  const timeline = state.timeline ?? 1;
  const name = `${timeline.toString(16).toUpperCase().padStart(8, '0')}.history`;
  const history = parseHistory(await shell.readFile(`${PLACES.data}/pg_wal/${name}`, signal));
  return {
    lastCommitAt: state.lastCommitAt,
    lsn: history?.lsn ?? state.lsn,
    timeline,
    reason: history?.reason ?? '',
    endOfArchive: false,
  };
}

async function failed(shell: RestoreShell, signal: AbortSignal): Promise<PgherdError> {
  const log = await shell.readFile(PLACES.log, signal);
  const first = logErrors(log).find(({ sqlstate }) => sqlstate !== NOT_YET);
  return new PgherdError({
    code: 'scratch-failed',
    message: `the restored server does not start: ${first?.text ?? 'it ended without a word'}`,
    detail: log.trimEnd().split('\n').slice(-8).join('\n'),
  });
}
