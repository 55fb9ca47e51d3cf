/**
 * Holding clients back at the poolers while the primary moves. A hold has a dead man's switch: a process of its own
 * that lets clients go on (SIGUSR2 is PgBouncer's RESUME, and a reload to HAProxy) within a second of the death of whoever holds them, and when
 * the limit has passed in any case.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { type ConsoleTarget, PoolerConsole } from '../../engine/pgbouncer/console.ts';
import { codeOf } from '../../lib/errors.ts';
import { startTimeOf } from '../../lib/process.ts';
import type { ClientHold, HoldLimits } from '../contract.ts';

/** How often the dead man's switch looks. */
const TURN_MS = 500;

export interface HoldInput {
  /** Where the consoles of the primary's poolers are; none: nobody is held, and `release` still leads. */
  targets: readonly ConsoleTarget[];
  consoles: WarmConsoles;
  door: Door;
}

/** The proxy, past which clients reach the primary without a pooler. */
export interface Door {
  /** Turns away who comes anew. Never rejects. */
  close(): Promise<void>;
  /** Names this primary to the poolers; they follow when they read it. Resolves with whether they have to. Never rejects. */
  aim(primary: string): Promise<boolean>;
  /** Leads the proxy to this primary, if one is named, and lets clients in. Never rejects. */
  open(primary: string | undefined): Promise<void>;
  /** Holds the pid of the process that forgets a closed door when it gets SIGUSR2. */
  pidFile: string;
}

/**
 * Holds clients of the primary's poolers back, for at most `limitMs`; waits up to `drainMs` for transactions under
 * way. A pooler that does not answer is left out: it holds nobody.
 */
export async function holdClients(
  { targets, consoles, door }: HoldInput,
  { limitMs, drainMs, turnAway = false }: HoldLimits,
): Promise<ClientHold> {
  const pidFiles = targets.map(({ socketDir }) => join(socketDir, 'pid'));
  if (turnAway) pidFiles.push(door.pidFile);
  const guard = pidFiles.length === 0 ? undefined : await deadMansSwitch(pidFiles, limitMs);
  const closing = turnAway ? door.close() : undefined;
  const pausing = await settled(targets.map(target => consoles.take(target)));
  // The console that pauses may wait for a long transaction, and takes no other command until then.
  const resuming = targets.map(target => PoolerConsole.open(target));
  for (const opened of resuming) opened.catch(() => {});
  const drained = await Promise.all(pausing.map(console => console.pause(drainMs)));
  await closing;
  let released = false;
  let aiming: Promise<boolean> | undefined;
  /** Resolves with whether all poolers have read their target. */
  const readTarget = async (): Promise<boolean> => {
    const opened = await settled(resuming);
    const read = await Promise.allSettled(opened.map(console => console.reload()));
    return opened.length === targets.length && read.every(({ status }) => status === 'fulfilled');
  };
  const aim = async (primary: string): Promise<void> => {
    if (!released) aiming ??= door.aim(primary).then(readTarget);
    await aiming;
  };
  const release = async (primary?: string): Promise<void> => {
    if (released) return;
    released = true;
    // Patroni's callback leads as well, a moment later: who goes on before that would meet the old primary.
    const told = turnAway || primary !== undefined ? door.open(primary) : undefined;
    const aimed = await aiming;
    if (primary !== undefined && ((await door.aim(primary)) || aimed !== true)) await readTarget();
    const opened = await settled(resuming);
    await Promise.allSettled(opened.map(console => console.resume()));
    await told;
    for (const console of [...pausing, ...opened]) console[Symbol.dispose]();
    if (guard !== undefined) disarm(guard);
    consoles.warm(targets);
  };
  return { drained: drained.every(Boolean), aim, release, [Symbol.asyncDispose]: () => release() };
}

/** Consoles that are open before they are needed: a pause that comes sooner spares clients an error. */
export class WarmConsoles implements Disposable {
  readonly #open = new Map<string, Promise<PoolerConsole | undefined>>();
  #wanted = false;

  /** From now on there is one for each of these, where its pooler answers. */
  keep(targets: readonly ConsoleTarget[]): void {
    this.#wanted = true;
    this.warm(targets);
  }

  /** Opens those that are missing, if they are wanted at all. */
  warm(targets: readonly ConsoleTarget[]): void {
    if (!this.#wanted) return;
    for (const target of targets) {
      if (this.#open.has(target.socketDir)) continue;
      this.#open.set(
        target.socketDir,
        PoolerConsole.open(target).catch(() => undefined),
      );
    }
  }

  /** The open one, which is the taker's then, or a new one. Rejects where the pooler does not answer. */
  async take(target: ConsoleTarget): Promise<PoolerConsole> {
    const open = this.#open.get(target.socketDir);
    this.#open.delete(target.socketDir);
    const console = await open;
    if (console?.alive === true) return console;
    console?.[Symbol.dispose]();
    return await PoolerConsole.open(target);
  }

  [Symbol.dispose](): void {
    this.#wanted = false;
    for (const open of this.#open.values()) void open.then(console => console?.[Symbol.dispose]());
    this.#open.clear();
  }
}

async function settled<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(promises);
  return results.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []));
}

/**
 * A shell that looks twice a second whether the owner, known by pid and start time, still lives. It asks nobody and
 * starts nothing but `sleep`. Its words: pid, start time, rest of a turn, whole turns, pid files of those who are to let clients go on.
 */
const SWITCH = `
owner=$1 started=$2 rest=$3 turns=$4; shift 4
lives() {
  read -r stat 2>/dev/null <"/proc/$owner/stat" || return 1
  set -- \${stat##*") "}
  case $1 in Z|X) return 1 ;; esac
  [ "\${20}" = "$started" ]
}
sleep "$rest"
while [ "$turns" -gt 0 ] && lives; do sleep ${TURN_MS / 1000}; turns=$((turns - 1)); done
for file; do kill -USR2 "$(cat "$file")" 2>/dev/null; done
`;

async function deadMansSwitch(files: readonly string[], limitMs: number): Promise<ChildProcess> {
  const started = (await startTimeOf(process.pid)) ?? '';
  const rest = (limitMs % TURN_MS) / 1000;
  const words = [process.pid, started, rest, Math.floor(limitMs / TURN_MS)].map(String);
  const child = spawn('sh', ['-c', SWITCH, 'pgherd-resume', ...words, ...files], {
    detached: true,
    stdio: 'ignore',
  });
  child.on('error', () => {});
  child.unref();
  return child;
}

/** The process group: `sleep` as well. */
function disarm({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGTERM');
  } catch (error) {
    // It has struck and ended.
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}
