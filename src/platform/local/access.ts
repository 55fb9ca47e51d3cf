/** Ways into a cluster of this machine: its endpoints are addresses here, its passwords and certificates files. */
import { join } from 'node:path';
import type { ClusterSpec, EndpointName } from '../../core/manifest/spec.ts';
import { POOLER_ADMIN } from '../../engine/pgbouncer/config.ts';
import { psqlArguments } from '../../engine/postgres/psql.ts';
import type {
  Access,
  Credentials,
  EndpointAddress,
  InsideTarget,
  PsqlCommand,
  PsqlOptions,
} from '../contract.ts';
import type { Paths } from './layout.ts';
import type { ClusterRecord } from './record.ts';
import type { SecretStore } from './secrets.ts';
import { endpointOf, memberSocketDir } from './serviceParts.ts';

export class LocalAccess implements Access {
  readonly #spec: ClusterSpec;
  readonly #record: ClusterRecord;
  readonly #paths: Paths;
  readonly #secrets: SecretStore;

  constructor(spec: ClusterSpec, record: ClusterRecord, paths: Paths, secrets: SecretStore) {
    this.#spec = spec;
    this.#record = record;
    this.#paths = paths;
    this.#secrets = secrets;
  }

  endpoint(name: EndpointName): EndpointAddress | undefined {
    return endpointOf(this.#spec, this.#record, name);
  }

  async reach(): Promise<undefined> {
    return undefined;
  }

  async caFile(): Promise<string> {
    return this.#paths.ca;
  }

  async credentials(user: string): Promise<Credentials> {
    return await this.#secrets.read(user);
  }

  async users(): Promise<string[]> {
    return (await this.#secrets.users()).filter(user => user !== POOLER_ADMIN);
  }

  async psql({ endpoint: name, user, database }: PsqlOptions): Promise<PsqlCommand> {
    const endpoint = this.endpoint(name);
    if (endpoint === undefined) throw new TypeError(`there is no endpoint ${name}`);
    const program = join(this.#record.postgres.binDir, 'psql');
    return {
      argv: psqlArguments(program, endpoint, { user, database, caFile: this.#paths.ca }),
      env: { PGPASSFILE: await this.#secrets.passfile(user) },
    };
  }

  async inside(member: string): Promise<InsideTarget> {
    return insideTarget(this.#record, this.#paths, member);
  }
}

export function insideTarget({ port }: ClusterRecord, paths: Paths, member: string): InsideTarget {
  return { socketDirectory: memberSocketDir(paths, member), port, user: 'postgres' };
}
