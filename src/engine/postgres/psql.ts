import { conninfo } from './conninfo.ts';

export interface PsqlTarget {
  host: string;
  /** Where the name leads, if that is not left to the machine. */
  hostaddr?: string;
  port: number;
  /** The certificate does not bear this name: no more than who signed it can be checked. */
  unnamed?: true;
}

/** psql against a server whose certificate it checks, as argv without a password. */
export function psqlArguments(
  program: string,
  { host, hostaddr, port, unnamed }: PsqlTarget,
  { user, database, caFile }: { user: string; database: string; caFile: string },
): string[] {
  const words = conninfo({
    host,
    ...(hostaddr !== undefined && { hostaddr }),
    port,
    user,
    dbname: database,
    sslmode: unnamed === true ? 'verify-ca' : 'verify-full',
    sslrootcert: caFile,
  });
  return [program, words];
}
