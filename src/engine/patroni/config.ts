import type { ClusterSpec } from '../../core/manifest/spec.ts';
import type { DynamicConfig } from '../../core/topology/observation.ts';

export const PATRONI_PORT = 8008;

/**
 * What pgherd asks of Patroni where the manifest says nothing. Patroni 4 accepts no ttl below 20; a short
 * loop_wait makes a dead server known in about a second; primary_start_timeout 0 fails over instead of
 * restarting in place (figures: reference/failover.md).
 */
export const TIMING: PatroniDefaults = { ttl: 20, loopWait: 1, retryTimeout: 3, failsafeMode: false };

/** What a platform chooses where the manifest leaves it open. */
export interface PatroniDefaults {
  ttl: number;
  loopWait: number;
  retryTimeout: number;
  failsafeMode: boolean;
}

export interface DynamicInput {
  spec: ClusterSpec;
  parameters: Record<string, string>;
  /** User of the operating system that the servers run as: it may log in over the Unix socket. */
  systemUsers: string[];
  /** Where members and poolers come from. */
  memberNetworks: string[];
  defaults: PatroniDefaults;
}

/** Patroni's dynamic configuration: all of it, so that a key that is not wanted any more can be found. */
export function dynamicConfig(input: DynamicInput): DynamicConfig {
  const { defaults, spec } = input;
  const { patroni } = spec;
  return {
    ttl: patroni.ttl ?? defaults.ttl,
    loop_wait: patroni.loopWait ?? defaults.loopWait,
    retry_timeout: patroni.retryTimeout ?? defaults.retryTimeout,
    maximum_lag_on_failover: patroni.maximumLagOnFailover,
    primary_start_timeout: 0,
    member_slots_ttl: '30min',
    synchronous_mode: patroni.synchronousMode !== 'async',
    synchronous_mode_strict: patroni.synchronousMode === 'strict',
    synchronous_node_count: patroni.synchronousNodeCount,
    failsafe_mode: patroni.failsafeMode ?? defaults.failsafeMode,
    slots: patroni.slots,
    postgresql: {
      use_pg_rewind: true,
      use_slots: true,
      parameters: input.parameters,
      pg_hba: clientRules(input),
      pg_ident: input.systemUsers.flatMap(user => [`pgherd ${user} postgres`, `pgherd ${user} standby`]),
    },
  };
}

/** pg_hba: our own lines first, then the manifest's, or else one line for each allowed range. */
function clientRules({ spec, memberNetworks }: DynamicInput): string[] {
  const own = [
    'local all postgres peer map=pgherd',
    'local replication standby peer map=pgherd',
    ...memberNetworks.flatMap(network => [
      `hostssl replication standby ${network} scram-sha-256`,
      `hostssl all postgres,standby,${spec.pooler.user} ${network} scram-sha-256`,
    ]),
  ];
  const clients = spec.patroni.pgHba ?? [
    ...memberNetworks.map(network => `hostssl all all ${network} scram-sha-256`),
    ...spec.allowedSourceRanges.map(range => `hostssl all all ${range} scram-sha-256`),
    'hostnossl all all all reject',
  ];
  return [...own, ...clients];
}
