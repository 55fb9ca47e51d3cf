import pg from 'pg';
import { connected } from '../../engine/postgres/connected.ts';
import type { PlatformCluster } from '../../platform/contract.ts';

export interface InsideOptions {
  database: string;
  connectMs: number;
  /** Of one statement. */
  answerMs: number;
  /** As pg_stat_activity tells it. */
  name: string;
}

/** Connects as superuser on the member's own host. Rejects with what node-postgres or PostgreSQL says. */
export async function connectInside(
  { access }: Pick<PlatformCluster, 'access'>,
  member: string,
  { database, connectMs, answerMs, name }: InsideOptions,
): Promise<pg.Client> {
  const { socketDirectory, port, user } = await access.inside(member);
  const client = new pg.Client({
    host: socketDirectory,
    port,
    user,
    database,
    connectionTimeoutMillis: connectMs,
    query_timeout: answerMs,
    application_name: name,
  });
  return await connected(client);
}
