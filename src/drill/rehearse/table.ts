/** A table that somebody drops, and the way back: measured, and held against the ledger of the load. */
import { restoreBeside } from '../../backup/restore.ts';
import { bringTables } from '../../backup/tables.ts';
import type { WriteRecord } from '../../core/drill/history.ts';
import { sleep } from '../../lib/time.ts';
import type { PlatformCluster, Scratch } from '../../platform/contract.ts';
import { type RehearsalStage, type Rehearsed, secondsSince } from './stage.ts';

const ROWS = 10_000;
const TABLE = { schema: 'pgherd_drill', table: 'lost' };
const NAME = `${TABLE.schema}.${TABLE.table}`;
const LOCK_MS = 120_000;
const CLEAN_UP_MS = 120_000;
/** So that the second before the drop holds the table. */
const LIFE_MS = 2_500;

export async function loseTable(stage: RehearsalStage): Promise<Rehearsed> {
  const { cluster, context, database, began, sofar } = stage;
  const { signal } = context;
  await using _lock = await cluster.backups.lock('drill', { waitMs: LOCK_MS, signal });
  let scratch: Scratch | undefined;
  try {
    await ask(cluster, database, `DROP TABLE IF EXISTS ${NAME}`, signal);
    await ask(cluster, database, `CREATE TABLE ${NAME} AS SELECT generate_series(1, ${ROWS}) AS id`, signal);
    await sleep(LIFE_MS, signal);
    const [clock] = await ask(
      cluster,
      database,
      `SELECT to_char((clock_timestamp() - interval '1 second') AT TIME ZONE 'UTC',
                      'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS target`,
      signal,
    );
    const at = String(clock?.target);
    await ask(cluster, database, `DROP TABLE ${NAME}`, signal);
    const dropped = performance.now();
    began(`DROP TABLE ${NAME}, ${ROWS} rows; the target is ${at}`);
    const wish = { target: { kind: 'time' as const, at }, backup: undefined, from: undefined };
    const restored = await restoreBeside(cluster, { ...wish, purpose: 'table' }, context);
    scratch = restored.scratch;
    const queryable = secondsSince(dropped);
    const broken = [
      ...(await ledgerFindings(scratch, database, (await sofar()).writes, Date.parse(at), signal)),
      ...restored.ledgers
        .filter(ledger => ledger.broken > 0)
        .map(ledger => `the ledger in ${ledger.database} is broken`),
    ];
    const [brought] = await bringTables(cluster, scratch, [{ database, ...TABLE }], undefined, context);
    const back = secondsSince(dropped);
    const [row] = await ask(cluster, database, `SELECT count(*)::int AS rows FROM ${NAME}`, signal);
    if (row?.rows !== ROWS) broken.push(`${row?.rows} of ${ROWS} rows of the table came back`);
    const { lastCommitAt } = scratch.reached;
    return {
      notes: [
        `restored beside and queryable ${queryable} after the drop, from ${scratch.repository}; last commit ${lastCommitAt}`,
        `${brought?.rows} rows were back in the cluster ${back} after the drop`,
      ],
      broken,
    };
  } finally {
    const end = AbortSignal.timeout(CLEAN_UP_MS);
    if (scratch !== undefined) await cluster.restores.discard(scratch.id, end);
    await ask(cluster, database, `DROP TABLE IF EXISTS ${NAME}`, end);
  }
}

async function ask(
  cluster: PlatformCluster,
  database: string,
  statement: string,
  signal: AbortSignal,
): Promise<Record<string, unknown>[]> {
  await using session = await cluster.restores.primarySession(database, signal);
  return await session.query(statement);
}

/** Every write that was acknowledged by then is there, and none that was sent later. One clock: the same machine. */
async function ledgerFindings(
  scratch: Scratch,
  database: string,
  writes: WriteRecord[],
  target: number,
  signal: AbortSignal,
): Promise<string[]> {
  await using session = await scratch.session(database, signal);
  const rows = await session.query('SELECT id::text AS id FROM pgherd_drill.ledger');
  const there = new Set(rows.map(({ id }) => String(id)));
  const missing = writes.filter(
    ({ id, outcome, endedAt }) => outcome === 'acknowledged' && endedAt <= target && !there.has(id),
  );
  const later = writes.filter(({ id, sentAt }) => sentAt > target && there.has(id));
  const known = writes.filter(({ id }) => there.has(id)).length;
  return [
    ...(missing.length > 0 ? [`${missing.length} writes acknowledged before the target are not there`] : []),
    ...(later.length > 0 ? [`${later.length} writes sent after the target are there`] : []),
    ...(known === 0 ? ['not one write of this run is in the restored ledger: nothing was compared'] : []),
  ];
}
