import type { ClusterSpec } from '../core/manifest/spec.ts';
import { shellQuote } from '../lib/shell.ts';
import { UsageError } from './usage.ts';

/** Everything a client needs to connect. */
export interface Connection {
  host: string;
  port: number;
  user: string;
  /** undefined: left out on purpose, or not known. */
  password: string | undefined;
  database: string;
  caFile: string;
  sslmode: 'verify-full' | 'verify-ca';
  /** The pooler gives a session's server to others between two transactions. */
  transactionPooling: boolean;
}

/**
 * One libpq URI. Every part is percent-encoded, so that psql, psycopg2 and node-postgres read the same thing;
 * verify-full checks the server's name as well as the authority, verify-ca the authority alone.
 */
export function libpqUri(connection: Connection): string {
  const { user, password, database } = connection;
  const login = password === undefined ? encode(user) : `${encode(user)}:${encode(password)}`;
  return `postgresql://${login}@${authority(connection)}/${encode(database)}?${tlsQuery(connection)}`;
}

/** A JDBC URL; the driver takes user and password as parameters. */
export function jdbcUrl(connection: Connection): string {
  const { user, password, database, transactionPooling } = connection;
  const parameters = [
    `user=${encode(user)}`,
    ...(password === undefined ? [] : [`password=${encode(password)}`]),
    tlsQuery(connection),
    // The driver prepares statements by name after five uses, which another server would not know.
    ...(transactionPooling ? ['prepareThreshold=0'] : []),
  ];
  return `jdbc:postgresql://${authority(connection)}/${encode(database)}?${parameters.join('&')}`;
}

/** The environment variables that libpq reads. */
export function libpqEnvironment(connection: Connection): Record<string, string> {
  const { host, port, user, password, database, caFile, sslmode } = connection;
  return {
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    ...(password !== undefined && { PGPASSWORD: password }),
    PGDATABASE: database,
    PGSSLMODE: sslmode,
    PGSSLROOTCERT: caFile,
  };
}

/** Lines to be read by a POSIX shell: `eval "$(pgherd url NAME --env)"`. */
export function exportLines(variables: Record<string, string>): string {
  return Object.entries(variables)
    .map(([name, value]) => `export ${name}=${shellQuote(value)}`)
    .join('\n');
}

function authority({ host, port }: Connection): string {
  return `${host.includes(':') ? `[${host}]` : encode(host)}:${port}`;
}

function tlsQuery({ caFile, sslmode }: Connection): string {
  return `sslmode=${sslmode}&sslrootcert=${encode(caFile).replaceAll('%2F', '/')}`;
}

function encode(text: string): string {
  // encodeURIComponent leaves these as they are; a shell or a parser may not.
  return encodeURIComponent(text).replace(/[!'()*]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

export interface Login {
  user: string;
  database: string;
}

/**
 * Who connects to what when the command line leaves it open: the first database of the manifest and its
 * owner. A database that is named brings its owner, a user that is named the first database it owns.
 */
export function defaultLogin(
  spec: ClusterSpec,
  wanted: { user?: string | undefined; database?: string | undefined },
): Login {
  const owned = ownedDatabases(spec);
  const byUser = owned.find(entry => entry.owner === wanted.user);
  const database =
    wanted.database ??
    byUser?.name ??
    owned[0]?.name ??
    spec.databases[0]?.name ??
    spec.preparedDatabases[0]?.name ??
    'postgres';
  const user = wanted.user ?? owned.find(entry => entry.name === database)?.owner ?? loginUsers(spec)[0];
  if (user === undefined) {
    throw new UsageError(
      `the manifest of ${spec.name} has no user that may log in`,
      'name one with --user, for example --user postgres',
    );
  }
  return { user, database };
}

/** Databases that have an owner who may log in. */
function ownedDatabases(spec: ClusterSpec): { name: string; owner: string }[] {
  const prepared = spec.preparedDatabases
    .filter(database => database.defaultUsers)
    .map(database => ({ name: database.name, owner: `${database.name}_owner_user` }));
  const barred = new Set(spec.users.filter(user => !user.flags.login).map(user => user.name));
  return [...spec.databases.filter(database => !barred.has(database.owner)), ...prepared];
}

function loginUsers(spec: ClusterSpec): string[] {
  return spec.users.filter(user => user.flags.login).map(user => user.name);
}
