/** psql on one of the endpoints, as argv and environment. */
import { join } from 'node:path';
import { RefusedError } from '../../lib/errors.ts';
import type { ClusterRecord } from './record.ts';
import type { SecretStore } from './secrets.ts';

export async function psqlCommand(
  record: ClusterRecord,
  secrets: SecretStore,
  caFile: string,
  options: {
    name: string;
    endpoint: { host: string; port: number } | undefined;
    user: string;
    database: string;
  },
): Promise<{ argv: string[]; env: Record<string, string> }> {
  const { name, endpoint, user, database } = options;
  if (endpoint === undefined) {
    throw new RefusedError({
      code: 'no-such-endpoint',
      message: `the manifest asks for no ${name} endpoint`,
      hint: 'enableConnectionPooler and enableReplicaConnectionPooler switch the poolers on',
    });
  }
  const passfile = await secrets.passfile(user);
  const conninfo = {
    host: endpoint.host,
    port: String(endpoint.port),
    user,
    dbname: database,
    sslmode: 'verify-full',
    sslrootcert: caFile,
  };
  const text = Object.entries(conninfo).map(([key, value]) => `${key}='${value.replace(/['\\]/g, '\\$&')}'`);
  return { argv: [join(record.postgres.binDir, 'psql'), text.join(' ')], env: { PGPASSFILE: passfile } };
}
