import pg from 'pg';
import { codeOf, messageOf, type PgherdError, RefusedError } from '../../lib/errors.ts';

/** Everything that is needed to log in at an endpoint. Goes to threads by message, never into an argument or a log. */
export interface Target {
  host: string;
  port: number;
  database: string;
  user: string;
  password: string;
  /** PEM of the cluster's authority: the server's name and certificate are checked against it (verify-full). */
  ca: string;
}

/** As pg wants it. */
export function clientConfig(target: Target, connectTimeoutMs: number): pg.ClientConfig {
  const { host, port, database, user, password, ca } = target;
  return {
    host,
    port,
    database,
    user,
    password,
    ssl: { ca },
    connectionTimeoutMillis: connectTimeoutMs,
    application_name: 'pgherd stress',
  };
}

const CONNECT_MS = 5_000;

/**
 * One session for what comes before the load. Ends with the scope; an abort of the signal cuts it, and with it
 * whatever transaction is open. Rejects with a RefusedError that says that the cluster does not answer.
 */
export async function openSession(
  cluster: string,
  target: Target,
  signal: AbortSignal,
): Promise<{ client: pg.Client } & AsyncDisposable> {
  signal.throwIfAborted();
  const client = new pg.Client(clientConfig(target, CONNECT_MS));
  client.on('error', () => {});
  const cut = (): void => void client.connection.stream.destroy();
  signal.addEventListener('abort', cut, { once: true });
  const close = async (): Promise<void> => {
    signal.removeEventListener('abort', cut);
    if (!signal.aborted) await client.end().catch(() => {});
  };
  try {
    await client.connect();
  } catch (error) {
    await close();
    signal.throwIfAborted();
    throw unreachable(cluster, target, error);
  }
  return { client, [Symbol.asyncDispose]: close };
}

function unreachable(cluster: string, { host, port, user, database }: Target, cause: unknown): PgherdError {
  const code = codeOf(cause);
  if (code === '53300') {
    return new RefusedError({
      code: 'too-many-connections',
      message: `${cluster} has no connection left for another client (${messageOf(cause)})`,
      detail: `at ${host}:${port}`,
      hint: `wait until others have gone, or go through the pooler (--endpoint pooler)`,
      cause,
    });
  }
  // Whoever gives an SQLSTATE is there; but 57P03 is "not yet", and a pooler without its server says 08P01.
  if (code !== undefined && /^(?!08|57P03)[0-9A-Z]{5}$/.test(code)) {
    return new RefusedError({
      code: 'login-refused',
      message: `${cluster} does not let ${user} into the database ${database}: ${messageOf(cause)}`,
      hint: 'name others with --user and --database',
      cause,
    });
  }
  return new RefusedError({
    code: 'not-reachable',
    message: `${cluster} does not answer at ${host}:${port}`,
    detail: messageOf(cause),
    hint: `look what is wrong: pgherd status ${cluster}; start it: pgherd up MANIFEST`,
    cause,
  });
}
