import { exportLines, jdbcUrl, libpqEnvironment, libpqUri } from '../connection.ts';
import { head } from '../documents.ts';
import type { UrlDocument } from '../schema.ts';
import type { UrlOutcome } from './handler.ts';

/** The connection as JSON, in all forms at once. */
export function urlToDocument({ ref, endpoint, connection, poolMode, note }: UrlOutcome): UrlDocument {
  const { host, port, user, password, database, caFile, sslmode } = connection;
  return {
    ...head(ref),
    endpoint,
    host,
    port,
    user,
    password: password ?? null,
    database,
    sslmode,
    sslrootcert: caFile,
    url: libpqUri(connection),
    jdbc: jdbcUrl(connection),
    environment: libpqEnvironment(connection),
    poolMode: poolMode ?? null,
    note: note ?? null,
  };
}

/** The one form that was asked for, and nothing else: it is made for `$(...)`. */
export function urlText({ connection }: UrlOutcome, format: 'uri' | 'env' | 'jdbc'): string {
  switch (format) {
    case 'uri':
      return libpqUri(connection);
    case 'jdbc':
      return jdbcUrl(connection);
    case 'env':
      return exportLines(libpqEnvironment(connection));
  }
}
