import fc from 'fast-check';
import type { ClusterSpec, RoleFlag } from '../../manifest/spec.ts';
import type { ComponentObservation, MemberObservation, Observation } from '../../topology/observation.ts';
import { makeComponent, makeDesired, makeHealthy, makeMember, makeSpec } from './fixture.ts';
import { nothing, type World, worldOf } from './world.ts';

const flag = fc.constantFrom<RoleFlag>('superuser', 'createdb', 'createrole', 'replication');

const user = fc
  .record({ name: fc.constantFrom('anna', 'bauer', 'cem'), extra: fc.uniqueArray(flag), login: fc.boolean() })
  .map(({ name, extra, login }) => ({
    name,
    flags: {
      superuser: extra.includes('superuser'),
      inherit: true,
      login,
      createrole: extra.includes('createrole'),
      createdb: extra.includes('createdb'),
      replication: extra.includes('replication'),
      bypassrls: false,
    },
  }));

const preparedDatabase = fc.record({
  name: fc.constantFrom('shop', 'wiki'),
  defaultUsers: fc.boolean(),
  extensions: fc.constantFrom<Record<string, string>>(
    {},
    { pg_trgm: 'public' },
    { hstore: 'data', citext: 'elsewhere' },
  ),
  schemas: fc.uniqueArray(
    fc.record({
      name: fc.constantFrom('data', 'history'),
      defaultRoles: fc.boolean(),
      defaultUsers: fc.boolean(),
    }),
    { selector: schema => schema.name, minLength: 1 },
  ),
});

const parameters = fc.record(
  {
    work_mem: fc.constantFrom('4MB', '8MB'),
    max_connections: fc.constantFrom('50', '100', '200'),
    max_worker_processes: fc.constantFrom('4', '8', '16'),
    shared_buffers: fc.constantFrom('128MB', '256MB'),
  },
  { requiredKeys: [] },
);

/** Manifests that the format and pgherd accept. */
export const anySpec: fc.Arbitrary<ClusterSpec> = fc
  .record({
    instances: fc.nat({ max: 7 }),
    parameters,
    users: fc.uniqueArray(user, { selector: each => each.name }),
    owners: fc.boolean(),
    preparedDatabases: fc.uniqueArray(preparedDatabase, { selector: each => each.name, maxLength: 2 }),
    mode: fc.constantFrom('async', 'sync', 'strict'),
    nodeCount: fc.integer({ min: 1, max: 3 }),
    slots: fc.constantFrom<Record<string, Record<string, string>>>(
      {},
      { cdc: { type: 'physical' } },
      {
        cdc: { type: 'logical', database: 'shop' },
        log: {},
      },
    ),
    pooler: fc.record({
      primary: fc.boolean(),
      standby: fc.boolean(),
      instances: fc.integer({ min: 1, max: 3 }),
    }),
  })
  .map(({ mode, nodeCount, owners, slots, ...rest }) =>
    makeSpec({
      ...rest,
      databases: owners ? rest.users.map(({ name }) => ({ name: `${name}s`, owner: name })) : [],
      patroni: {
        synchronousMode: mode === 'strict' && rest.instances <= nodeCount ? 'sync' : mode,
        synchronousNodeCount: nodeCount,
        slots,
      },
    }),
  );

const when = fc.constantFrom(undefined, '2026-01-01T00:00:00.000Z');

const memberFields = {
  role: fc.constantFrom('primary', 'standby', 'standby', 'unknown'),
  state: fc.constantFrom(
    'running',
    'streaming',
    'streaming',
    'starting',
    'creating',
    'stopped',
    'failed',
    'lost',
  ),
  timeline: fc.constantFrom(undefined, 1, 1, 2),
  lagBytes: fc.constantFrom(undefined, 0, 0, 40_000_000),
  synchronous: fc.boolean(),
  pendingRestart: fc.boolean(),
  pendingRestartReason: fc.constantFrom<MemberObservation['pendingRestartReason']>(
    undefined,
    {},
    { max_connections: { from: '200', to: '100' } },
  ),
  since: when,
  problem: fc.constantFrom(undefined, 'no space left on device'),
} satisfies { [K in keyof MemberObservation]?: fc.Arbitrary<MemberObservation[K]> };

const componentFields = {
  running: fc.constantFrom(true, true, true, false),
  outdated: fc.constantFrom('no', 'no', 'reload', 'restart'),
  differences: fc.constantFrom<string[]>([], ['certificate']),
  since: when,
} satisfies { [K in keyof ComponentObservation]?: fc.Arbitrary<ComponentObservation[K]> };

const anyMember = (name: string): fc.Arbitrary<MemberObservation> =>
  fc.record(memberFields).map(change => makeMember(name, change as Partial<MemberObservation>));

const anyComponent = (observed: ComponentObservation): fc.Arbitrary<ComponentObservation> =>
  fc.record(componentFields).map(change => ({ ...observed, ...change }) as ComponentObservation);

/** All as they are, but one of them odd in one field. */
function oneOdd<T>(all: T[], fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<T[]> {
  const change = fc.oneof(
    ...Object.entries(fields).map(([key, value]) => value.map(other => ({ [key]: other }))),
  );
  return fc
    .tuple(fc.nat({ max: Math.max(0, all.length - 1) }), change)
    .map(([at, how]) => all.map((item, here) => (here === at ? { ...item, ...how } : item)));
}

/** Anything a platform could report of a cluster, possible or not, near the servers of a manifest. */
const anyObservationOf = (spec: ClusterSpec): fc.Arbitrary<Observation> => {
  const whole = makeHealthy(makeDesired(spec));
  return fc
    .record({
      exists: fc.constantFrom(true, true, true, false),
      stopped: fc.constantFrom(false, false, true),
      dcs: fc.constantFrom(undefined, whole.dcs, ...odd.dcs),
      config: fc.constantFrom(undefined, whole.config, { postgresql: { parameters: { work_mem: 4 } } }),
      catalog: fc.constantFrom(undefined, whole.catalog),
      controlPlane: fc.constantFrom(...odd.controlPlane),
      components: fc
        .tuple(...whole.components.map(anyComponent))
        .chain(all => fc.subarray(all, { minLength: Math.max(0, all.length - 2) })),
      members: fc.tuple(
        ...whole.members.map(member => fc.oneof(fc.constant(member), anyMember(member.name))),
      ),
    })
    .map(change => ({ ...whole, ...change }));
};

const odd = {
  dcs: [
    { voters: 3, healthyVoters: 3 },
    { voters: 3, healthyVoters: 2 },
    { voters: 3, healthyVoters: 1 },
  ],
  controlPlane: [undefined, { running: true, since: undefined }, { running: false, since: undefined }],
};

/** The cluster of a manifest, healthy but for at most one fact, which is as odd as in `anyObservationOf`. */
export const nearlyHealthyOf = (spec: ClusterSpec): fc.Arbitrary<Observation> => {
  const whole = makeHealthy(makeDesired(spec));
  const one = <K extends keyof Observation>(key: K, values: fc.Arbitrary<Observation[K]>) =>
    values.map(value => ({ [key]: value }));
  return fc
    .oneof(
      fc.constant({}),
      one('dcs', fc.constantFrom(undefined, ...odd.dcs)),
      one('config', fc.constant(undefined)),
      one('controlPlane', fc.constantFrom(...odd.controlPlane)),
      one('stopped', fc.boolean()),
      one('components', oneOdd(whole.components, componentFields)),
      one(
        'components',
        fc.subarray(whole.components, { minLength: Math.max(0, whole.components.length - 1) }),
      ),
      one('members', oneOdd(whole.members, memberFields)),
      one('members', fc.subarray(whole.members, { minLength: Math.max(0, whole.members.length - 1) })),
    )
    .map(change => ({ ...whole, ...change }));
};

export const anyObservation: fc.Arbitrary<Observation> = anySpec.chain(spec =>
  fc.oneof(anyObservationOf(spec), nearlyHealthyOf(spec)),
);

/** One thing that goes wrong in a world; time or a plan heals all of them. */
const mishaps: ((observed: Observation, at: number) => void)[] = [
  (observed, at) => setMember(observed, at, { state: 'lost' }),
  (observed, at) => setMember(observed, at, { state: 'failed', problem: 'no space left on device' }),
  (observed, at) => setMember(observed, at, { state: 'starting' }),
  (observed, at) => setMember(observed, at, { role: 'primary', state: 'running', synchronous: false }),
  (observed, at) => setMember(observed, at, { role: 'standby', state: 'streaming' }),
  (observed, at) => {
    for (const member of observed.members) {
      if (member.role === 'primary') Object.assign(member, { role: 'standby', state: 'streaming' });
    }
    setMember(observed, at, { role: 'primary', state: 'running', synchronous: false });
  },
  (observed, at) => setComponent(observed, at, { running: false }),
  (observed, at) => setComponent(observed, at, { outdated: 'reload' }),
  (observed, at) => setComponent(observed, at, { outdated: 'restart', differences: ['certificate'] }),
  (observed, at) => setComponent(observed, at, { outdated: 'restart' }),
  observed => {
    observed.components.push(makeComponent('herd-pooler-9', 'pooler'));
  },
  (observed, at) => {
    observed.components.splice(at % Math.max(1, observed.components.length), 1);
  },
];

function setMember({ members }: Observation, at: number, change: Partial<MemberObservation>): void {
  Object.assign(members[at % Math.max(1, members.length)] ?? {}, change);
}

function setComponent({ components }: Observation, at: number, change: Partial<ComponentObservation>): void {
  Object.assign(components[at % Math.max(1, components.length)] ?? {}, change);
}

/** Clusters that were once as a manifest asked, or never were, with up to four mishaps. */
export const anyWorld: fc.Arbitrary<World> = fc
  .record({
    spec: anySpec,
    fresh: fc.constantFrom(false, false, false, true),
    misfortunes: fc.array(
      fc.record({ which: fc.nat({ max: mishaps.length - 1 }), at: fc.nat({ max: 20 }) }),
      { maxLength: 4 },
    ),
  })
  .map(({ spec, fresh, misfortunes }) => {
    const desired = makeDesired(spec);
    if (fresh) return nothing(desired);
    const observed = makeHealthy(desired);
    for (const { which, at } of misfortunes) mishaps[which]?.(observed, at);
    return worldOf(observed, desired.config);
  });
