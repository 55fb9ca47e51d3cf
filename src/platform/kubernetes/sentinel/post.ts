import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import { PatroniClient } from '../../../engine/patroni/client.ts';
import type { LinkTarget } from '../../../engine/postgres/link.ts';
import type { TlsIdentity } from '../../../lib/http.ts';
import type { KubeClient } from '../api/client.ts';
import type { LiveObject } from '../api/kinds.ts';
import { memberSelector } from '../objects/labels.ts';
import { POSTGRES_PORT } from '../objects/names.ts';
import type { DcsContext } from '../patroni/write.ts';

/** Where the sentinel of one cluster stands: what it can see without asking, and what it needs to ask. */
export interface PostInput {
  client: KubeClient;
  namespace: string;
  spec: ClusterSpec;
  /** Of the cluster's own authority, with the certificate that Patroni takes the operator for a member by. */
  identity: TlsIdentity;
  /** The superuser's, as it is now. */
  password(): string;
  /** What was watched, as it is now. */
  watched(): { pods: LiveObject[]; configMaps: LiveObject[]; renewedAt: number | undefined };
  /** What the operator does to the primary right now. */
  operation(): string | undefined;
  /** Whether to keep open what a hold of clients needs. */
  warm(): boolean;
  /** How far apart looks may be while all is well. */
  calmMs(): number;
  /** How far apart logins may be while all is well. */
  knockMs(): number;
}

/** Addresses and clients of the members, as their pods come and go. */
export class Post implements Disposable {
  readonly input: PostInput;
  readonly #patroni = new Map<string, { ip: string; client: PatroniClient }>();

  constructor(input: PostInput) {
    this.input = input;
  }

  get members(): string[] {
    const { name, instances } = this.input.spec;
    return Array.from({ length: instances }, (_, n) => `${name}-${n}`);
  }

  dcs(signal: AbortSignal): DcsContext {
    const { client, namespace, spec } = this.input;
    return { client, namespace, cluster: spec.name, labels: memberSelector(spec.name), signal };
  }

  pod(member: string): LiveObject | undefined {
    return this.input.watched().pods.find(({ metadata }) => metadata.name === member);
  }

  ip(member: string): string | undefined {
    return (this.pod(member)?.status as { podIP?: string } | undefined)?.podIP;
  }

  /** undefined: its pod has no address. */
  link(member: string): LinkTarget | undefined {
    const host = this.ip(member);
    if (host === undefined) return undefined;
    const { spec, password, identity } = this.input;
    const ca = spec.kubernetes.tls === undefined ? identity.ca : undefined;
    return {
      host,
      port: POSTGRES_PORT,
      user: 'postgres',
      // Sessions that are opened anew may need another one.
      get password() {
        return password();
      },
      ca,
      tlsName: spec.name,
    };
  }

  /** undefined: its pod has no address. */
  patroni(member: string): PatroniClient | undefined {
    const ip = this.ip(member);
    const known = this.#patroni.get(member);
    if (ip === undefined || known?.ip === ip) return ip === undefined ? undefined : known?.client;
    known?.client[Symbol.dispose]();
    const { identity, spec } = this.input;
    const client = new PatroniClient(member, ip, identity, spec.name);
    this.#patroni.set(member, { ip, client });
    return client;
  }

  [Symbol.dispose](): void {
    for (const { client } of this.#patroni.values()) client[Symbol.dispose]();
  }
}
