import type { ClusterRef } from '../../platform/contract.ts';
import { type Connection, defaultLogin } from '../connection.ts';
import { credentialsOf } from '../credentials.ts';
import { ENDPOINT_NAMES, type EndpointWord, noSuchEndpoint } from '../endpoints.ts';
import type { Session } from '../session.ts';
import { openCluster } from '../target.ts';

export interface UrlOptions {
  endpoint?: EndpointWord | undefined;
  user?: string | undefined;
  database?: string | undefined;
  withPassword: boolean;
}

export interface UrlOutcome {
  ref: ClusterRef;
  endpoint: EndpointWord;
  connection: Connection;
  poolMode: 'session' | 'transaction' | undefined;
  /** What a person should know who uses it. */
  note: string | undefined;
}

/** How to connect to an endpoint. No server is asked: it works while the cluster is stopped, too. */
export async function connection(session: Session, name: string, options: UrlOptions): Promise<UrlOutcome> {
  const cluster = await openCluster(session, name);
  const endpoint =
    options.endpoint ?? (cluster.access.endpoint('pooler') === undefined ? 'primary' : 'pooler');
  const address = cluster.access.endpoint(ENDPOINT_NAMES[endpoint]);
  if (address === undefined) throw noSuchEndpoint(cluster, endpoint);
  const login = defaultLogin(cluster.spec, options);
  const password = options.withPassword ? (await credentialsOf(cluster, login.user)).password : undefined;
  const poolMode = endpoint.startsWith('pooler') ? cluster.spec.pooler.mode : undefined;
  return {
    ref: cluster.ref,
    endpoint,
    poolMode,
    note: address.note,
    connection: {
      host: address.host,
      port: address.port,
      ...login,
      password,
      caFile: await cluster.access.caFile(),
      sslmode: address.unnamed === true ? 'verify-ca' : 'verify-full',
      transactionPooling: poolMode === 'transaction',
    },
  };
}
