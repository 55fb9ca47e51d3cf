/**
 * Holding clients back at the poolers while the primary moves. A hold has a dead man's switch: a process of its own
 * that lets clients go on (SIGUSR2 is PgBouncer's RESUME) when the limit has passed, whoever has died until then.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { POOLER_ADMIN } from '../../engine/pgbouncer/config.ts';
import { PoolerConsole } from '../../engine/pgbouncer/console.ts';
import { codeOf } from '../../lib/errors.ts';
import type { ClientHold } from '../contract.ts';
import { endpointPorts, type Paths } from './layout.ts';
import type { ClusterRecord } from './record.ts';
import type { SecretStore } from './secrets.ts';

/**
 * Holds clients of the primary's poolers back, for at most `limitMs`; waits up to `drainMs` for transactions under
 * way. A pooler that does not answer is left out: it holds nobody. `lead` writes the poolers' target.
 */
export async function holdClients(
  paths: Paths,
  record: ClusterRecord,
  secrets: SecretStore,
  poolers: readonly string[],
  lead: (primary: string) => Promise<unknown>,
  { limitMs, drainMs }: { limitMs: number; drainMs: number },
): Promise<ClientHold> {
  const { password } = await secrets.read(POOLER_ADMIN);
  const port = endpointPorts(record.port).pooler;
  const sockets = poolers.map(name => join(paths.run, name));
  const guard = deadMansSwitch(sockets, limitMs);
  const opened = await Promise.allSettled(
    sockets.map(socketDir => PoolerConsole.open({ socketDir, port, password })),
  );
  const consoles = opened.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []));
  const drained = await Promise.all(consoles.map(console => console.pause(drainMs)));
  let released = false;
  const release = async (primary?: string): Promise<void> => {
    if (released) return;
    released = true;
    // Patroni's callback does it as well, a moment later: who goes on before that would meet the old primary.
    if (primary !== undefined) await lead(primary);
    // The console that paused may still wait for a long transaction, and takes no other command until then.
    await Promise.allSettled(
      sockets.map(async socketDir => {
        using console = await PoolerConsole.open({ socketDir, port, password });
        await console.resume();
      }),
    );
    for (const console of consoles) console[Symbol.dispose]();
    disarm(guard);
  };
  return { drained: drained.every(Boolean), release, [Symbol.asyncDispose]: () => release() };
}

function deadMansSwitch(sockets: readonly string[], limitMs: number): ChildProcess {
  const files = sockets.map(socket => join(socket, 'pid'));
  const script = 'sleep "$1"; shift; for file; do kill -USR2 "$(cat "$file")" 2>/dev/null; done';
  const seconds = String(limitMs / 1000);
  const child = spawn('sh', ['-c', script, 'pgherd-resume', seconds, ...files], {
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
