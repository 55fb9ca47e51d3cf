/**
 * What clients of the pooler notice of a fault: eight of them write a row every 20 ms for so long, while somebody does
 * something to the cluster. Prints the longest time without an acknowledged write, the errors that they met, and how
 * many acknowledged rows are missing at the end. To be run where addresses of Services can be reached, such as on a node.
 *
 *   KUBECONFIG=… node bench/kubernetes/pooled.ts NAMESPACE CLUSTER USER DATABASE SECONDS
 */
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { KubeClient } from '../../src/platform/kubernetes/api/client.ts';
import { Connection } from '../../src/platform/kubernetes/api/connection.ts';

const [namespace = '', cluster = '', user = '', database = '', seconds = '20'] = process.argv.slice(2);
const CLIENTS = 8;
const EVERY_MS = 20;
const ANSWER_MS = 15_000;

const access = { kubeconfig: undefined, context: undefined, env: process.env };
const client = new KubeClient(await Connection.open(access));
const secret = `${user.replaceAll('_', '-')}.${cluster}.credentials.postgresql.acid.zalan.do`;
const get = (kind: 'Secret' | 'Service', name: string) =>
  client.get({ kind, namespace, name }, AbortSignal.timeout(ANSWER_MS));
const { data } = (await get('Secret', secret)) as { data?: { password?: string } };
const { spec } = (await get('Service', `${cluster}-pooler`)) as { spec?: { clusterIP?: string } };
const target = {
  host: spec?.clusterIP ?? '',
  user,
  database,
  password: Buffer.from(data?.password ?? '', 'base64').toString(),
  // It is not the certificate that is measured.
  ssl: { rejectUnauthorized: false },
  connectionTimeoutMillis: ANSWER_MS,
  query_timeout: ANSWER_MS,
};

async function open(): Promise<pg.Client> {
  const session = new pg.Client(target);
  session.on('error', () => {});
  await session.connect();
  return session;
}

const setup = await open();
await setup.query('CREATE TABLE IF NOT EXISTS pooled (id text PRIMARY KEY)');
await setup.query('TRUNCATE pooled');
await setup.end();

const acknowledged: { id: string; at: number }[] = [];
const errors = new Map<string, number>();
const until = performance.now() + Number(seconds) * 1000;

async function write(n: number): Promise<void> {
  let session: pg.Client | undefined;
  for (let row = 0; performance.now() < until; row++) {
    const id = `${n}-${row}`;
    try {
      session ??= await open();
      await session.query('INSERT INTO pooled VALUES ($1)', [id]);
      acknowledged.push({ id, at: performance.now() });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      errors.set(message, (errors.get(message) ?? 0) + 1);
      void session?.end().catch(() => {});
      session = undefined;
    }
    await delay(EVERY_MS);
  }
  await session?.end();
}

await Promise.all(Array.from({ length: CLIENTS }, (_, n) => write(n)));
const times = acknowledged.map(({ at }) => at).sort((a, b) => a - b);
const gaps = times.slice(1).map((at, n) => at - (times[n] ?? at));
const last = await open();
const { rows } = await last.query('SELECT id FROM pooled');
await last.end();
const there = new Set(rows.map(({ id }) => id));
const lost = acknowledged.filter(({ id }) => !there.has(id)).length;
const told = {
  acknowledged: times.length,
  longestMs: Math.round(Math.max(0, ...gaps)),
  errors: Object.fromEntries(errors),
  lost,
};
process.stdout.write(`${JSON.stringify(told)}\n`);
process.exit(0);
