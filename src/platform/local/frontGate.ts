/** What stands between clients and the primary: lets nobody through for a while, and leads all to the next one. */
import { join } from 'node:path';
import type { ClusterSpec } from '../../core/manifest/spec.ts';
import { admit, leadProxy, turnAway } from '../../engine/haproxy/runtime.ts';
import { POOLER_ADMIN } from '../../engine/pgbouncer/config.ts';
import type { ConsoleTarget } from '../../engine/pgbouncer/console.ts';
import type { ClientHold, HoldLimits } from '../contract.ts';
import { type Door, holdClients, Warm } from './clientHold.ts';
import { proxySocket } from './frontServices.ts';
import { endpointPorts, memberAddress, memberName, ordinalOf, type Paths } from './layout.ts';
import { retarget } from './poolerTargets.ts';
import type { ClusterRecord } from './record.ts';
import type { SecretStore } from './secrets.ts';
import { wantedComponents } from './services.ts';

const TELL_MS = 1_000;
const PROXY = 'proxy';

export class FrontGate implements Disposable {
  readonly #spec: ClusterSpec;
  readonly #paths: Paths;
  readonly #secrets: SecretStore;
  readonly #warm = new Warm();

  constructor(spec: ClusterSpec, paths: Paths, secrets: SecretStore) {
    this.#spec = spec;
    this.#paths = paths;
    this.#secrets = secrets;
  }

  async hold(record: ClusterRecord, limits: HoldLimits): Promise<ClientHold> {
    const targets = this.#targets(record);
    return await holdClients({ targets, warm: this.#warm, door: this.#door(record) }, limits);
  }

  /** Whoever will hold in a hurry gets ready before. */
  prepare(record: ClusterRecord): void {
    this.#warm.keep(this.#targets(record), this.#door(record));
  }

  [Symbol.dispose](): void {
    this.#warm[Symbol.dispose]();
  }

  /** The poolers' target, and the proxy, whose own checks are a second apart and correct whatever fails here. */
  #door(record: ClusterRecord): Door {
    const servers = Array.from({ length: this.#spec.instances }, (_, n) => memberName(this.#spec, n));
    const proxy = { socket: proxySocket(this.#paths), servers };
    const tell = async (how: (signal: AbortSignal) => Promise<void>) => {
      await how(AbortSignal.timeout(TELL_MS)).catch(() => {});
    };
    return {
      close: () => tell(signal => turnAway(proxy, signal)),
      aim: primary => this.#retarget(record, primary),
      open: async primary =>
        await tell(signal =>
          primary === undefined ? admit(proxy, signal) : leadProxy(proxy, primary, signal),
        ),
      pidFile: join(this.#paths.services, PROXY, 'supervise', 'pid'),
    };
  }

  /** A target file that cannot be written is corrected by Patroni's callback and by the keeper. */
  async #retarget(record: ClusterRecord, primary: string): Promise<boolean> {
    if (!this.#spec.pooler.primary) return false;
    const address = memberAddress(record, ordinalOf(primary));
    return await retarget({ record, paths: this.#paths }, this.#spec, address).catch(() => true);
  }

  #targets(record: ClusterRecord): ConsoleTarget[] {
    const poolers = wantedComponents(this.#spec, record).filter(({ kind }) => kind === 'pooler');
    const port = endpointPorts(record.port).pooler;
    const password = async () => (await this.#secrets.read(POOLER_ADMIN)).password;
    return poolers.map(({ name }) => ({ socketDir: join(this.#paths.run, name), port, password }));
  }
}
