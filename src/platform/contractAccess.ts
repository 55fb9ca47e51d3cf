/** What a platform offers of ways into a cluster: addresses, the authority to check them by, names and passwords. */
import type { EndpointName } from '../core/manifest/spec.ts';

export interface Access {
  /** Where clients find an endpoint; undefined: there is none. */
  endpoint(name: EndpointName): EndpointAddress | undefined;
  /**
   * Has the endpoints lead there from this machine, for as long as the cluster is open: `endpoint` says where. Resolves
   * with what lies between then, as whoever measures has to tell it; undefined: nothing does. May be repeated.
   */
  reach(signal: AbortSignal): Promise<string | undefined>;
  /** Path of the certificate authority's certificate, readable by clients. */
  caFile(): Promise<string>;
  /** Rejects with a RefusedError where the user has none here. */
  credentials(user: string): Promise<Credentials>;
  /** Users that have credentials here. */
  users(): Promise<string[]>;
  /** An interactive or piped psql at an endpoint that there is, as argv and environment; the password is in neither. */
  psql(options: PsqlOptions): Promise<PsqlCommand>;
  /**
   * How somebody on the member's own host connects to it as superuser, past every endpoint and network; also
   * while the host is cut off. For what an isolated primary would tell its own clients.
   */
  inside(member: string): Promise<InsideTarget>;
}

export interface EndpointAddress {
  host: string;
  port: number;
  /** The certificate does not bear this name: a client can check no more than who signed it (verify-ca). */
  unnamed?: true;
  /** What a person should know who uses it, a sentence: where the name is known, who is let in. */
  note?: string;
}

export interface Credentials {
  /** Name of the Secret in the format's contract. */
  secret: string;
  username: string;
  password: string;
}

export interface PsqlOptions {
  endpoint: EndpointName;
  user: string;
  database: string;
}

export interface PsqlCommand {
  argv: string[];
  env: Record<string, string>;
}

/** A directory with PostgreSQL's Unix socket, and who may log in there without a password. */
export interface InsideTarget {
  socketDirectory: string;
  port: number;
  user: string;
}
