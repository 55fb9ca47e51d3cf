/** The ways that a drill's load takes into a cluster, as plain data that a thread can be given. */
import type { EndpointName } from '../../core/manifest/spec.ts';
import type { PlatformCluster } from '../../platform/contract.ts';

export interface PathLogin {
  /** An address, or the directory of a Unix socket. */
  host: string;
  port: number;
  user: string;
  /** undefined: the operating system vouches for the user. */
  password: string | undefined;
  database: string;
  /** PEM of the authority; undefined: no TLS, on a Unix socket. */
  ca: string | undefined;
}

export interface LoadPath {
  /** As reports name it: "pooler", "primary, new connection", "inside demo-0". */
  name: string;
  kind: 'write' | 'read';
  login: PathLogin;
  clients: number;
  /** Each client begins an operation this often; they are spread evenly. Milliseconds. */
  everyMs: number;
  /** A new connection for each operation. */
  fresh: boolean;
  /** Who answers, where the session cannot tell (Unix socket): the member's address. */
  server: string | undefined;
}

/** 20 writers, each every 200 ms: a write every 10 ms on each endpoint. */
const WRITERS = { clients: 20, everyMs: 200, fresh: false };
const READERS = { clients: 5, everyMs: 100, fresh: false };
/** Who connects anew sees what a pooled session does not: a postmaster that hangs. */
const NEWCOMER = { clients: 2, everyMs: 250, fresh: true };
/** Tries each member from within its own host: an isolated primary must not acknowledge. */
const INSIDER = { clients: 1, everyMs: 100, fresh: false };

const WORDS: Record<EndpointName, string> = {
  primary: 'primary',
  standby: 'standby',
  pooler: 'pooler',
  poolerStandby: 'pooler-standby',
};

/** The prefix of paths that no application takes. */
export const INSIDE = 'inside ';

export interface LoadPlan {
  login: Pick<PathLogin, 'user' | 'database'>;
  /** PEM of the authority. */
  ca: string;
  members: { name: string; address: string }[];
  /** The only one to take; undefined: all. */
  endpoint?: EndpointName | undefined;
}

/** Every way in that this cluster has: its endpoints, and each member from inside its host. */
export async function loadPaths(
  cluster: PlatformCluster,
  { login, ca, members, endpoint: only }: LoadPlan,
): Promise<LoadPath[]> {
  const { password } = await cluster.access.credentials(login.user);
  const paths: LoadPath[] = [];
  for (const endpoint of ['pooler', 'primary', 'poolerStandby', 'standby'] as const) {
    const address = cluster.access.endpoint(endpoint);
    if (address === undefined || endpoint !== (only ?? endpoint)) continue;
    const common = { login: { ...address, ...login, password, ca }, server: undefined };
    const name = WORDS[endpoint];
    if (endpoint === 'pooler' || endpoint === 'primary') {
      paths.push({ name, kind: 'write', ...WRITERS, ...common });
      paths.push({ name: `${name}, new connection`, kind: 'write', ...NEWCOMER, ...common });
    }
    paths.push({ name: `${name}, read`, kind: 'read', ...READERS, ...common });
  }
  for (const { name, address } of members) {
    const { socketDirectory, port, user } = await cluster.access.inside(name);
    const { database } = login;
    const inside = { host: socketDirectory, port, user, database, password: undefined, ca: undefined };
    paths.push({ name: `${INSIDE}${name}`, kind: 'write', ...INSIDER, login: inside, server: address });
  }
  return paths;
}
