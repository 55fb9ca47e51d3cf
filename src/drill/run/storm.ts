/** Many clients at once through the pooler: each must get in, and administrators must still get in beside them. */
import pg from 'pg';
import { codeOf } from '../../lib/errors.ts';
import { sleep } from '../../lib/time.ts';
import type { ApplyContext, PlatformCluster } from '../../platform/contract.ts';
import type { LedgerLoad } from '../load/ledgerLoad.ts';
import { connectInside } from './inside.ts';

/** SCRAM costs the pooler and us a few milliseconds each: more at a time would only wait in its backlog. */
const AT_A_TIME = 50;
const CONNECT_MS = 10_000;
const STAY_MS = 3_000;

/** Connects so many clients, lets each ask once, and lets them go. Resolves with sentences for the report. */
export async function storm(
  cluster: PlatformCluster,
  load: LedgerLoad,
  clients: number,
  context: ApplyContext,
): Promise<string[]> {
  const path = load.paths.find(({ name }) => name === 'pooler');
  if (path === undefined) return ['there is no pooler to connect through'];
  const { host, port, user, password, database, ca } = path.login;
  const connected: pg.Client[] = [];
  const refused = new Map<string, number>();
  let next = 0;
  const connectSome = async (): Promise<void> => {
    while (next < clients && !context.signal.aborted) {
      next += 1;
      const client = new pg.Client({
        host,
        port,
        user,
        password,
        database,
        ssl: { ca },
        connectionTimeoutMillis: CONNECT_MS,
        query_timeout: CONNECT_MS,
        application_name: 'pgherd-drill-storm',
      });
      client.on('error', () => {});
      try {
        await client.connect();
        await client.query('SELECT 1');
        connected.push(client);
      } catch (error) {
        const code = codeOf(error) ?? 'no answer';
        refused.set(code, (refused.get(code) ?? 0) + 1);
        void client.end().catch(() => {});
      }
      if (next % 250 === 0) context.progress(`${connected.length} of ${clients} clients are connected`);
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_A_TIME }, connectSome));
    const administrator = await administratorGetsIn(cluster);
    await sleep(STAY_MS, context.signal);
    const counts = [...refused].map(([code, count]) => `${count} with ${code}`);
    return [
      `${connected.length} of ${clients} clients were connected at once; refused: ${counts.length === 0 ? 'none' : counts.join(', ')}`,
      administrator,
    ];
  } finally {
    await Promise.race([Promise.allSettled(connected.map(client => client.end())), sleepQuietly(2_000)]);
  }
}

async function administratorGetsIn(cluster: PlatformCluster): Promise<string> {
  const { members } = await cluster.observe(
    { catalog: false, withoutConfig: true },
    AbortSignal.timeout(10_000),
  );
  const primary = members.find(member => member.role === 'primary');
  if (primary === undefined) return 'there was no primary that an administrator could have got into';
  try {
    const client = await connectInside(cluster, primary.name, {
      database: 'postgres',
      connectMs: CONNECT_MS,
      answerMs: CONNECT_MS,
      name: 'pgherd-drill-storm',
    });
    void client.end().catch(() => {});
    return 'meanwhile an administrator got in on the primary';
  } catch (error) {
    return `meanwhile an administrator was refused (${codeOf(error) ?? 'no answer'})`;
  }
}

function sleepQuietly(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms));
}
