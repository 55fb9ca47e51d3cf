/** Ways to a server for psql: through an endpoint, and past every network on the member's own host. */
import { join } from 'node:path';
import { RefusedError } from '../../lib/errors.ts';
import type { InsideTarget } from '../contract.ts';
import type { Paths } from './layout.ts';
import type { ClusterRecord } from './record.ts';
import type { SecretStore } from './secrets.ts';
import { memberSocketDir } from './serviceParts.ts';

/** psql on one of the endpoints, as argv and environment; the password is in neither. */
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

export function insideTarget({ port }: ClusterRecord, paths: Paths, member: string): InsideTarget {
  return { socketDirectory: memberSocketDir(paths, member), port, user: 'postgres' };
}
