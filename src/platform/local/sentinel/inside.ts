/** Probes on the primary's own host: a login, and a commit that waits for no standby. */
import { Session, SqlError } from '../../../engine/postgres/connection.ts';
import type { Paths } from '../layout.ts';
import type { ClusterRecord } from '../record.ts';
import { memberSocketDir } from '../serviceParts.ts';

/** A login that takes longer has failed: a healthy one takes milliseconds. */
const LOGIN_MS = 1_000;
/** The canary's own patience; longer than any threshold on it. */
const COMMIT_MS = 60_000;

function target(paths: Paths, record: ClusterRecord, member: string, timeoutMs: number) {
  const host = memberSocketDir(paths, member);
  const { port } = record;
  return { host, port, database: 'postgres', user: 'postgres', password: '', ca: undefined, timeoutMs };
}

/** Whether PostgreSQL answers a newcomer, be it with a refusal. Rejects only when the signal aborts. */
export async function login(
  paths: Paths,
  record: ClusterRecord,
  member: string,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const session = await Session.open(target(paths, record, member, LOGIN_MS), signal);
    await session[Symbol.asyncDispose]();
    return true;
  } catch (error) {
    signal.throwIfAborted();
    return error instanceof SqlError && error.sqlstate !== undefined;
  }
}

/** A session that is kept, for a commit now and then. */
export class Canary implements AsyncDisposable {
  readonly #open: (signal: AbortSignal) => Promise<Session>;
  #session: Session | undefined;

  constructor(paths: Paths, record: ClusterRecord, member: string) {
    this.#open = signal => Session.open(target(paths, record, member, COMMIT_MS), signal);
  }

  /**
   * Commits once, without waiting for a standby. Resolves also when it failed: an answer is an answer. What is
   * committed is a message in the WAL that no table holds.
   */
  async commit(signal: AbortSignal): Promise<void> {
    try {
      if (this.#session === undefined) {
        this.#session = await this.#open(signal);
        await this.#session.query('SET synchronous_commit = local');
      }
      await this.#session.query("SELECT pg_logical_emit_message(true, 'pgherd', 'canary')");
    } catch {
      signal.throwIfAborted();
      await this[Symbol.asyncDispose]();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.[Symbol.asyncDispose]();
  }
}
