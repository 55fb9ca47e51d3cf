import { readFile } from 'node:fs/promises';
import type { ClusterSpec } from '../../core/manifest/spec.ts';
import type { CatalogObservation, MemberObservation } from '../../core/topology/observation.ts';
import { type ChangeContext, readCatalog } from '../../engine/postgres/catalog.ts';
import { Session } from '../../engine/postgres/connection.ts';
import type { InsideTarget } from '../contract.ts';
import type { SecretStore } from './secrets.ts';

const STATEMENT_MS = 30_000;

/** As superuser over a member's own socket, which trusts the users of the system that its servers run as. */
export async function connectInside(
  target: InsideTarget,
  signal: AbortSignal,
  timeoutMs = STATEMENT_MS,
): Promise<Session> {
  const { socketDirectory: host, port, user } = target;
  const options = { host, port, user, database: 'postgres', password: '', ca: undefined };
  return await Session.open({ ...options, timeoutMs }, signal);
}

/** The superuser's sessions on the primary, over TLS and with the password of its Secret. */
export class PrimarySql {
  readonly #spec: ClusterSpec;
  readonly #secrets: SecretStore;
  readonly #caFile: string;

  constructor(spec: ClusterSpec, secrets: SecretStore, caFile: string) {
    this.#spec = spec;
    this.#secrets = secrets;
    this.#caFile = caFile;
  }

  async connect(primary: MemberObservation, database: string, signal: AbortSignal): Promise<Session> {
    const { password } = await this.#secrets.read('postgres');
    const ca = await readFile(this.#caFile, 'utf8');
    const { address: host, port } = primary;
    return await Session.open(
      { host, port, database, user: 'postgres', password, ca, timeoutMs: STATEMENT_MS },
      signal,
    );
  }

  /** undefined when the primary does not answer (any more): what cannot be seen is not guessed. */
  async catalog(primary: MemberObservation, signal: AbortSignal): Promise<CatalogObservation | undefined> {
    try {
      return await readCatalog(database => this.connect(primary, database, signal), this.#lookup);
    } catch {
      signal.throwIfAborted();
      return undefined;
    }
  }

  changes(primary: MemberObservation, signal: AbortSignal): ChangeContext {
    return {
      connect: database => this.connect(primary, database, signal),
      password: async user => (await this.#secrets.read(user)).password,
      lookup: this.#lookup,
    };
  }

  get #lookup(): { schema: string; user: string } {
    return { schema: this.#spec.pooler.schema, user: this.#spec.pooler.user };
  }
}
