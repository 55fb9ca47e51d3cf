import type { EndpointName } from '../core/manifest/spec.ts';
import { RefusedError } from '../lib/errors.ts';
import type { PlatformCluster } from '../platform/contract.ts';

/** Endpoint names on the command line, in the order in which they are shown. */
export const ENDPOINT_WORDS = ['primary', 'standby', 'pooler', 'pooler-standby'] as const;

export type EndpointWord = (typeof ENDPOINT_WORDS)[number];

export const ENDPOINT_NAMES: Readonly<Record<EndpointWord, EndpointName>> = {
  primary: 'primary',
  standby: 'standby',
  pooler: 'pooler',
  'pooler-standby': 'poolerStandby',
};

/** What an endpoint is for. */
export const ENDPOINT_PURPOSES: Readonly<Record<EndpointWord, string>> = {
  primary: 'reads and writes, always the primary',
  standby: 'reads, spread over the standbys',
  pooler: 'reads and writes through PgBouncer',
  'pooler-standby': 'reads through PgBouncer',
};

/** For an endpoint that the manifest does not ask for. */
export function noSuchEndpoint(cluster: PlatformCluster, endpoint: string): RefusedError {
  const there = ENDPOINT_WORDS.filter(word => cluster.access.endpoint(ENDPOINT_NAMES[word]) !== undefined);
  return new RefusedError({
    code: 'no-such-endpoint',
    message: `${cluster.ref.name} has no endpoint ${endpoint}: its manifest does not ask for one`,
    hint: there.length === 0 ? undefined : `there is: ${there.join(', ')}`,
  });
}

interface Address {
  host: string;
  port: number;
}

/** Endpoints as JSON shows them: null where the manifest does not ask for one. */
export function endpointsDocument(
  endpoints: Partial<Record<EndpointName, Address>>,
): Record<EndpointName, Address | null> {
  const pick = (name: EndpointName): Address | null => {
    const found = endpoints[name];
    return found === undefined ? null : { host: found.host, port: found.port };
  };
  return {
    primary: pick('primary'),
    standby: pick('standby'),
    pooler: pick('pooler'),
    poolerStandby: pick('poolerStandby'),
  };
}

/** `host:port`, with the brackets that IPv6 needs. */
export function formatAddress({ host, port }: Address): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
