/** What stands between clients and the primary: lets nobody through for a while, and leads all to the next one. */
import { join } from 'node:path';
import type { ClusterSpec } from '../../core/manifest/spec.ts';
import { leadProxy } from '../../engine/haproxy/runtime.ts';
import { POOLER_ADMIN } from '../../engine/pgbouncer/config.ts';
import type { ConsoleTarget } from '../../engine/pgbouncer/console.ts';
import type { ClientHold } from '../contract.ts';
import { holdClients, WarmConsoles } from './clientHold.ts';
import { proxySocket } from './frontServices.ts';
import { endpointPorts, memberAddress, memberName, ordinalOf, type Paths } from './layout.ts';
import { retarget } from './poolerTargets.ts';
import type { ClusterRecord } from './record.ts';
import type { SecretStore } from './secrets.ts';
import { wantedComponents } from './services.ts';

const LEAD_MS = 1_000;

export class FrontGate implements Disposable {
  readonly #spec: ClusterSpec;
  readonly #paths: Paths;
  readonly #secrets: SecretStore;
  readonly #consoles = new WarmConsoles();

  constructor(spec: ClusterSpec, paths: Paths, secrets: SecretStore) {
    this.#spec = spec;
    this.#paths = paths;
    this.#secrets = secrets;
  }

  async hold(record: ClusterRecord, limits: { limitMs: number; drainMs: number }): Promise<ClientHold> {
    const targets = await this.#targets(record);
    const lead = (primary: string) => this.#lead(record, primary);
    return await holdClients({ targets, consoles: this.#consoles, lead }, limits);
  }

  /** Whoever will hold in a hurry opens the poolers' consoles before. Never rejects. */
  async prepare(record: ClusterRecord): Promise<void> {
    try {
      this.#consoles.keep(await this.#targets(record));
    } catch {
      // No password yet: then there is nobody to be held either.
    }
  }

  [Symbol.dispose](): void {
    this.#consoles[Symbol.dispose]();
  }

  /** The poolers' target, and the proxy, whose own checks are a second apart and correct whatever fails here. */
  async #lead(record: ClusterRecord, primary: string): Promise<void> {
    const members = Array.from({ length: this.#spec.instances }, (_, n) => memberName(this.#spec, n));
    const proxied = leadProxy(proxySocket(this.#paths), members, primary, AbortSignal.timeout(LEAD_MS));
    proxied.catch(() => {});
    if (!this.#spec.pooler.primary) return await proxied.catch(() => {});
    await retarget({ record, paths: this.#paths }, this.#spec, memberAddress(record, ordinalOf(primary)));
  }

  async #targets(record: ClusterRecord): Promise<ConsoleTarget[]> {
    const poolers = wantedComponents(this.#spec, record).filter(({ kind }) => kind === 'pooler');
    if (poolers.length === 0) return [];
    const { password } = await this.#secrets.read(POOLER_ADMIN);
    const port = endpointPorts(record.port).pooler;
    return poolers.map(({ name }) => ({ socketDir: join(this.#paths.run, name), port, password }));
  }
}
