/** One look at the whole cluster, put together from what observe.ts sees of its parts. */
import type { ClusterSpec, EndpointName } from '../../core/manifest/spec.ts';
import type { EndpointObservation, MemberObservation, Observation } from '../../core/topology/observation.ts';
import { PgherdError } from '../../lib/errors.ts';
import type { ObserveOptions } from '../contract.ts';
import type { Machine } from './apply.ts';
import { componentKind, type Paths } from './layout.ts';
import {
  type Clients,
  endpointObservations,
  observeComponents,
  observeDcs,
  observeMembers,
} from './observe.ts';
import type { PrimarySql } from './primarySql.ts';
import { type ClusterRecord, readRecord } from './record.ts';
import { listServices } from './runit.ts';
import { wantedComponents } from './services.ts';

export interface ObserveInput {
  spec: ClusterSpec;
  record: ClusterRecord;
  paths: Paths;
  clients: Clients;
  sql: PrimarySql;
  machine(): Promise<Machine>;
  controlPlane(): Promise<Observation['controlPlane']>;
  endpoint(name: EndpointName): EndpointObservation | undefined;
}

export async function observeCluster(
  input: ObserveInput,
  options: ObserveOptions,
  signal: AbortSignal,
): Promise<Observation> {
  const observedAt = new Date();
  const { spec, record, paths, clients, sql, endpoint } = input;
  const exists = (await readRecord(paths.record)) !== undefined;
  const services = exists ? await listServices(paths.services) : [];
  const wanted = wantedComponents(spec, record).map(component => component.name);
  const machine = exists && options.withoutFiles !== true ? await input.machine() : undefined;
  const render = (name: string) => (wanted.includes(name) ? machine?.render(name) : undefined);
  const named = (kind: string) => services.filter(name => componentKind(name) === kind);
  const [components, members, dcs, controlPlane] = await Promise.all([
    observeComponents(services, paths, render),
    observeMembers(named('member'), paths, record, clients, observedAt, signal),
    observeDcs(record.stopped ? [] : named('etcd'), clients, signal),
    input.controlPlane(),
  ]);
  const primary = members.find(member => member.role === 'primary');
  const [config, catalog] = await Promise.all([
    options.withoutConfig === true ? undefined : readConfig(members, clients, signal),
    options.catalog && primary !== undefined ? sql.catalog(primary, signal) : undefined,
  ]);
  return {
    observedAt: observedAt.toISOString(),
    exists,
    stopped: record.stopped,
    components,
    members,
    dcs,
    config,
    catalog,
    endpoints: endpointObservations({
      primary: endpoint('primary'),
      standby: endpoint('standby'),
      pooler: endpoint('pooler'),
      poolerStandby: endpoint('poolerStandby'),
    }),
    controlPlane,
    version: { wanted: spec.version, actual: record.postgres.version },
  };
}

/** From the first member that answers; they all read the same DCS. */
async function readConfig(
  members: MemberObservation[],
  clients: Clients,
  signal: AbortSignal,
): Promise<Observation['config']> {
  for (const member of members.filter(candidate => candidate.problem === undefined)) {
    try {
      return await clients.patroni(member.name).config(signal);
    } catch {
      signal.throwIfAborted();
    }
  }
  return undefined;
}

/** The member that is primary. Rejects where nobody is. */
export function requirePrimary(members: MemberObservation[], cluster: string): MemberObservation {
  const primary = members.find(member => member.role === 'primary');
  if (primary !== undefined) return primary;
  throw new PgherdError({
    code: 'no-primary',
    message: 'there is no primary to work on',
    hint: `see what the members say: pgherd logs ${cluster}`,
  });
}
