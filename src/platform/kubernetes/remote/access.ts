/** Ways into a cluster on Kubernetes from a person's machine: through the API server, and what its Secrets hold. */
import { join } from 'node:path';
import type { ClusterSpec, EndpointName } from '../../../core/manifest/spec.ts';
import { psqlArguments } from '../../../engine/postgres/psql.ts';
import { RefusedError } from '../../../lib/errors.ts';
import type {
  Access,
  ClusterRef,
  Credentials,
  EndpointAddress,
  InsideTarget,
  PsqlCommand,
  PsqlOptions,
} from '../../contract.ts';
import type { KubeClient } from '../api/client.ts';
import type { ExecTarget } from '../api/exec.ts';
import type { LiveObject } from '../api/kinds.ts';
import { decoded } from '../children/secrets.ts';
import { addressOf, ENDPOINTS } from './addresses.ts';
import { authorityFile } from './authority.ts';
import { Forwards } from './forwards.ts';
import { Inside } from './inside.ts';
import { Passfiles } from './passfiles.ts';

const REACH_MS = 20_000;
const SECRETS_MS = 15_000;

export interface RemoteAccessInput {
  client: KubeClient;
  ref: ClusterRef;
  spec: ClusterSpec;
  services: LiveObject[];
  /** The cluster's Secrets. */
  secrets(signal: AbortSignal): Promise<LiveObject[]>;
  container(pod: string): ExecTarget;
  /** Where copies of authorities' certificates are kept. */
  stateDir: string;
}

export class RemoteAccess implements Access, Disposable {
  readonly #input: RemoteAccessInput;
  readonly #passfiles = new Passfiles();
  readonly #inside: Inside;
  #forwards: Forwards | undefined;

  constructor(input: RemoteAccessInput) {
    this.#input = input;
    this.#inside = new Inside(input.client);
  }

  endpoint(name: EndpointName): EndpointAddress | undefined {
    const { spec, ref, services } = this.#input;
    const port = this.#forwards?.port(name);
    if (port === undefined) return addressOf(spec, ref.namespace, name, services);
    // The certificates of every cluster name it; those of the manifest need not.
    const named = spec.kubernetes.tls === undefined;
    return { host: 'localhost', port, ...(named ? {} : { unnamed: true }) };
  }

  async reach(signal: AbortSignal): Promise<string> {
    const { client, ref, services } = this.#input;
    const there = ENDPOINTS.filter(name => this.endpoint(name) !== undefined);
    this.#forwards ??= await Forwards.open(client, ref, there, services, signal);
    return 'measured from outside, through the API server and a relay in one pod, which is slower than from a pod of its own';
  }

  caFile(): Promise<string> {
    const { client, ref, spec, stateDir } = this.#input;
    return authorityFile(client, ref, spec, join(stateDir, 'kubernetes'));
  }

  async credentials(user: string): Promise<Credentials> {
    const secrets = await this.#input.secrets(AbortSignal.timeout(SECRETS_MS));
    const live = secrets.find(secret => decoded(secret, 'username') === user);
    const password = decoded(live, 'password');
    if (live === undefined || password === undefined) {
      const { name, namespace } = this.#input.ref;
      throw new RefusedError({
        code: 'unknown-user',
        message: `there are no credentials for user "${user}" in cluster ${name}`,
        hint: `no Secret of the cluster in namespace ${namespace} holds that username`,
      });
    }
    return { secret: live.metadata.name, username: user, password };
  }

  async users(): Promise<string[]> {
    const secrets = await this.#input.secrets(AbortSignal.timeout(SECRETS_MS));
    const names = secrets.map(secret => decoded(secret, 'username'));
    return names.filter(name => name !== undefined).sort();
  }

  /** This machine's psql, through a port of its own. */
  async psql({ endpoint, user, database }: PsqlOptions): Promise<PsqlCommand> {
    const [caFile, { password }] = await Promise.all([this.caFile(), this.credentials(user)]);
    await this.reach(AbortSignal.timeout(REACH_MS));
    const address = this.endpoint(endpoint);
    if (address === undefined) throw new TypeError(`there is no endpoint ${endpoint}`);
    return {
      // What the name `localhost` means is not left to the machine.
      argv: psqlArguments('psql', { ...address, hostaddr: '127.0.0.1' }, { user, database, caFile }),
      env: { PGPASSFILE: this.#passfiles.write(user, password) },
    };
  }

  inside(member: string): Promise<InsideTarget> {
    return this.#inside.target(this.#input.container(member));
  }

  [Symbol.dispose](): void {
    this.#forwards?.[Symbol.dispose]();
    this.#inside[Symbol.dispose]();
    this.#passfiles[Symbol.dispose]();
  }
}
