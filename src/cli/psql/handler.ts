import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { codeOf, PgherdError } from '../../lib/errors.ts';
import { defaultLogin } from '../connection.ts';
import { ENDPOINT_NAMES, type EndpointWord, noSuchEndpoint } from '../endpoints.ts';
import type { Session } from '../session.ts';
import { openCluster } from '../target.ts';

export interface PsqlOptions {
  admin?: boolean | undefined;
  read?: boolean | undefined;
  endpoint?: EndpointWord | undefined;
  user?: string | undefined;
  database?: string | undefined;
}

/**
 * Variables of the caller that would lead psql elsewhere, or make it accept less than the cluster's own
 * certificate. Those about the session (PGOPTIONS, PGAPPNAME, PGTZ, PSQLRC...) are the caller's business.
 */
const CONNECTION_VARIABLES =
  /^PG(HOST|HOSTADDR|PORT|DATABASE|USER|PASSWORD|PASSFILE|SERVICE|SERVICEFILE|REQUIREAUTH|CHANNELBINDING|REQUIRESSL|TARGETSESSIONATTRS|LOADBALANCEHOSTS|GSS\w*|KRB\w*|SSL\w*)$/;

/** Runs psql in the foreground. Resolves with its exit code. */
export async function psql(
  session: Session,
  name: string,
  options: PsqlOptions,
  words: readonly string[],
): Promise<number> {
  const cluster = await openCluster(session, name);
  const endpoint = options.endpoint ?? (options.read === true ? 'standby' : 'primary');
  if (cluster.access.endpoint(ENDPOINT_NAMES[endpoint]) === undefined)
    throw noSuchEndpoint(cluster, endpoint);
  const user = options.admin === true ? 'postgres' : options.user;
  const login = defaultLogin(cluster.spec, { user, database: options.database });
  const { argv, env } = await cluster.access.psql({ endpoint: ENDPOINT_NAMES[endpoint], ...login });
  const [program, ...rest] = argv;
  if (program === undefined) throw new TypeError('the platform named no psql to run');
  session.progress.end();
  // From here on Ctrl-C cancels a query of psql's.
  session.interrupt.handOver();
  const child = spawn(program, [...rest, ...words], {
    stdio: 'inherit',
    env: { ...withoutConnection(session.surroundings.env), ...env },
  });
  return exitCode(child, session.signal);
}

/** The caller's environment without what would change where psql connects. */
export function withoutConnection(
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !CONNECTION_VARIABLES.test(name)));
}

function exitCode(child: ChildProcess, signal: AbortSignal): Promise<number> {
  const stop = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  return new Promise<number>((resolve, reject) => {
    child.once('error', error => {
      reject(
        new PgherdError({
          code: 'psql-not-started',
          message: `psql could not be started (${codeOf(error) ?? 'unknown error'})`,
          hint: 'install what is missing: pgherd setup',
        }),
      );
    });
    child.once('exit', (code, killedBy) =>
      resolve(code ?? 128 + (killedBy === null ? 0 : constants.signals[killedBy])),
    );
  }).finally(() => signal.removeEventListener('abort', stop));
}
