/** The ledger's table on the members: made before a drill, read on every one of them after it. */
import pg from 'pg';
import type { LedgerRow, MemberLedger } from '../../core/drill/history.ts';
import { PgherdError } from '../../lib/errors.ts';
import { poll } from '../../lib/time.ts';
import type { PlatformCluster } from '../../platform/contract.ts';
import { createLedger, READ_ALL } from '../load/ledgerTable.ts';
import { connectInside } from './inside.ts';

const CONNECT_MS = 5_000;
const STATEMENT_MS = 120_000;
/** A standby that was built anew may have much to replay; one that is not well may never catch up. */
const REPLAY_MS = { whole: 120_000, torn: 15_000 };

/** Makes the table on the primary, from inside its host, as its superuser. */
export async function prepareLedger(
  cluster: PlatformCluster,
  primary: string,
  login: { user: string; database: string },
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  await using session = await InsideSession.open(cluster, primary, login.database);
  for (const statement of createLedger(pg.escapeIdentifier(login.user))) await session.query(statement);
}

/**
 * What every member holds, once it has replayed all that the primary had when the load had ended. A member that
 * cannot be read is left out: the verdict tells.
 */
export async function readLedgers(
  cluster: PlatformCluster,
  members: readonly { name: string }[],
  database: string,
  options: { run: string; whole: boolean; signal: AbortSignal },
): Promise<MemberLedger[]> {
  const { run, signal } = options;
  const timeoutMs = options.whole ? REPLAY_MS.whole : REPLAY_MS.torn;
  const until = await poll(() => newestPosition(cluster, members, database), {
    what: 'the primary to tell its position in the WAL',
    timeoutMs,
    everyMs: 500,
    signal,
  }).catch(() => {
    signal.throwIfAborted();
    return undefined;
  });
  if (until === undefined) return [];
  const ledgers = await Promise.all(
    members.map(({ name }) =>
      readLedger(cluster, name, database, { run, until }, { timeoutMs, signal }).catch(() => {
        signal.throwIfAborted();
        return undefined;
      }),
    ),
  );
  return ledgers.filter(ledger => ledger !== undefined);
}

/** End of the WAL of the only primary; undefined while there is none, or more than one. */
async function newestPosition(
  cluster: PlatformCluster,
  members: readonly { name: string }[],
  database: string,
): Promise<string | undefined> {
  const positions = await Promise.all(
    members.map(async ({ name }) => {
      try {
        await using session = await InsideSession.open(cluster, name, database);
        const [row] = await session.query(
          'SELECT CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_flush_lsn() END AS position',
        );
        return typeof row?.position === 'string' ? row.position : undefined;
      } catch {
        return undefined;
      }
    }),
  );
  const primaries = positions.filter(position => position !== undefined);
  return primaries.length === 1 ? primaries[0] : undefined;
}

async function readLedger(
  cluster: PlatformCluster,
  member: string,
  database: string,
  { run, until }: { run: string; until: string },
  options: { timeoutMs: number; signal: AbortSignal },
): Promise<MemberLedger> {
  await poll(
    async () => {
      await using session = await InsideSession.open(cluster, member, database);
      const [row] = await session.query(
        'SELECT NOT pg_is_in_recovery() OR pg_last_wal_replay_lsn() >= $1::pg_lsn AS reached',
        [until],
      );
      return row?.reached === true ? true : undefined;
    },
    { what: `${member} to replay the WAL`, everyMs: 250, ...options },
  );
  await using session = await InsideSession.open(cluster, member, database);
  return { member, rows: (await session.query(READ_ALL, [run])).map(asRow) };
}

function asRow(row: Record<string, unknown>): LedgerRow {
  const { id, chain, sequence, previous, hash } = row;
  if (
    typeof id === 'string' &&
    typeof chain === 'string' &&
    typeof sequence === 'number' &&
    typeof previous === 'string' &&
    typeof hash === 'string'
  ) {
    return { id, chain, sequence, previous, hash };
  }
  throw new PgherdError({ code: 'ledger-damaged', message: 'a row of the ledger is not what was written' });
}

/** A superuser's session on the member's own host. */
class InsideSession implements AsyncDisposable {
  readonly #client: pg.Client;

  private constructor(client: pg.Client) {
    this.#client = client;
  }

  static async open(cluster: PlatformCluster, member: string, database: string): Promise<InsideSession> {
    const client = await connectInside(cluster, member, {
      database,
      connectMs: CONNECT_MS,
      answerMs: STATEMENT_MS,
      name: 'pgherd-drill-check',
    });
    return new InsideSession(client);
  }

  async query(text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
    return (await this.#client.query(text, values)).rows;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end().catch(() => {});
  }
}
