import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { manifestWith, specOf } from '../../../core/manifest/manifestFixture.ts';
import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import { desiredObjects, type KubeObject } from './index.ts';
import { TEMPLATE_HASH } from './labels.ts';
import { FULL, FULL_CONFIG, inputOf, specFrom, USERS_OWN } from './testing/fixture.ts';
import { podSecurityOffences } from './testing/podSecurity.ts';

/** Everything that one API server is told for one manifest, as `kubectl apply` would take it. */
function rendered(objects: KubeObject[]): string {
  return objects
    .map(object => stringify(object, { aliasDuplicateObjects: false, lineWidth: 0 }))
    .join('---\n');
}

const objectsOf = (spec: ClusterSpec, config = {}) => desiredObjects(inputOf(spec, config));
const find = (objects: KubeObject[], kind: string, name: string) =>
  objects.find(object => object.kind === kind && object.metadata.name === name);
const hashOf = (spec: ClusterSpec, config = {}) =>
  find(objectsOf(spec, config), 'StatefulSet', spec.name)?.metadata.annotations?.[TEMPLATE_HASH];

/** Specs of pods, by what makes them. */
function pods(objects: KubeObject[]): [string, unknown][] {
  return objects.flatMap((object): [string, unknown][] => {
    const spec = object.spec as { template?: Pod; jobTemplate?: { spec: { template: Pod } } } | undefined;
    const template = spec?.template ?? spec?.jobTemplate?.spec.template;
    return template === undefined ? [] : [[`${object.kind} ${object.metadata.name}`, template.spec]];
  });
}

interface Pod {
  spec: unknown;
}

describe('all objects of a cluster', () => {
  it('of the user’s own manifest', async () => {
    await expect(rendered(objectsOf(specFrom(USERS_OWN)))).toMatchFileSnapshot(
      'golden/wichtige-daten-3.yaml',
    );
  });

  it('of a manifest and a configuration that ask for everything', async () => {
    await expect(rendered(objectsOf(specFrom(FULL), FULL_CONFIG))).toMatchFileSnapshot('golden/full.yaml');
  });

  it('have each a name of its own, in the namespace of the manifest, and the label of the cluster', () => {
    const objects = objectsOf(specFrom(FULL), FULL_CONFIG);
    const names = objects.map(object => `${object.kind}/${object.metadata.name}`);
    expect(new Set(names).size).toBe(names.length);
    for (const { metadata } of objects) {
      expect(metadata.namespace).toBe('shop');
      expect(metadata.labels['cluster-name']).toBe('full');
      expect(metadata.name.length).toBeLessThanOrEqual(63);
    }
  });

  it('belong to the manifest, but for the dumps, which outlive it', () => {
    const ownerless = objectsOf(specFrom(FULL)).filter(
      ({ metadata }) => metadata.ownerReferences === undefined,
    );
    expect(ownerless.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      'PersistentVolumeClaim logical-backup-full',
    ]);
  });

  it('hold no password: those are in Secrets alone', () => {
    const kinds = new Set(objectsOf(specFrom(FULL), FULL_CONFIG).map(object => object.kind));
    expect(kinds).not.toContain('Secret');
    expect(rendered(objectsOf(specFrom(FULL), FULL_CONFIG))).not.toMatch(/password: /i);
  });

  it('let Kubernetes choose what nobody chose: nothing is empty or null', () => {
    const text = rendered([...objectsOf(specFrom(FULL), FULL_CONFIG), ...objectsOf(specFrom(USERS_OWN))]);
    expect(text).not.toMatch(/: (null|undefined|~)$/m);
  });

  it.each([USERS_OWN, FULL])('%s passes Pod Security "restricted"', path => {
    const found = pods(objectsOf(specFrom(path), FULL_CONFIG)).map(([of, spec]) => [
      of,
      podSecurityOffences(spec),
    ]);
    expect(found.length).toBeGreaterThanOrEqual(3);
    for (const [of, offences] of found) expect([of, offences]).toEqual([of, []]);
  });

  it.each([
    ['a root user', { securityContext: { runAsUser: 0 } }],
    ['more capabilities', { securityContext: { capabilities: { add: ['SYS_ADMIN'] } } }],
    ['a port of the node', { ports: [{ containerPort: 1, hostPort: 1 }] }],
  ])('lets %s of a sidecar through as written, which the checker sees', (_, fields) => {
    const spec = specFrom(USERS_OWN);
    const sidecars = [{ name: 'odd', image: 'x', ...fields }];
    const made = objectsOf({ ...spec, kubernetes: { ...spec.kubernetes, sidecars } });
    const [, pod] = pods(made)[0] ?? [];
    expect(podSecurityOffences(pod)).not.toEqual([]);
  });
});

describe('the hash of the pod template', () => {
  const spec = specFrom(USERS_OWN);
  const { kubernetes } = spec;
  const variants = fc.record(
    {
      instances: fc.integer({ min: 0, max: 20 }),
      allowedSourceRanges: fc.constantFrom<string[]>([], ['10.0.0.0/8']),
      users: fc.constantFrom(spec.users, []),
      parameters: fc.constantFrom<Record<string, string>>({}, { work_mem: '8MB' }),
      pooler: fc.constantFrom(spec.pooler, { ...spec.pooler, standby: false, instances: 5 }),
    },
    { requiredKeys: [] },
  );

  it('is the same for the same input, and whatever does not touch a pod changes nothing', {
    timeout: 30_000,
  }, () => {
    fc.assert(
      fc.property(variants, changes => {
        expect(objectsOf({ ...spec, ...changes })).toEqual(objectsOf({ ...spec, ...changes }));
        expect(hashOf({ ...spec, ...changes })).toBe(hashOf(spec));
      }),
      { numRuns: 40 },
    );
  });

  it.each<[string, Partial<ClusterSpec>]>([
    ['resources', { resources: { ...spec.resources, limits: { cpuMillis: 700, memoryBytes: 2 ** 30 } } }],
    ['image', { kubernetes: { ...kubernetes, image: 'other' } }],
    ['sidecar', { kubernetes: { ...kubernetes, sidecars: [{ name: 'a', image: 'b' }] } }],
    ['toleration', { kubernetes: { ...kubernetes, tolerations: [{ key: 'a' }] } }],
    ['other toleration', { kubernetes: { ...kubernetes, tolerations: [{ key: 'b' }] } }],
    ['annotation', { kubernetes: { ...kubernetes, podAnnotations: { a: 'b' } } }],
    ['certificate', { kubernetes: { ...kubernetes, tls: tlsOf('mine') } }],
    ['shared memory', { kubernetes: { ...kubernetes, shmVolume: false } }],
  ])('changes with the %s', (_, change) => {
    const hashes = [spec, { ...spec, ...change }].map(variant => hashOf(variant));
    expect(hashes[0]).not.toBe(hashes[1]);
  });

  it('changes with the passwords of Patroni, and when a person wants a restart', () => {
    const input = inputOf(spec);
    const hash = (facts: Partial<typeof input.facts>) =>
      find(desiredObjects({ ...input, facts: { ...input.facts, ...facts } }), 'StatefulSet', spec.name)
        ?.metadata.annotations?.[TEMPLATE_HASH];
    expect(new Set([hash({}), hash({ systemSecretsHash: 'other' }), hash({ restartedAt: 'now' })]).size).toBe(
      3,
    );
    expect(hash({ poolerSecretsHash: 'other', podsSeen: 7 })).toBe(hash({}));
  });
});

describe('the number of instances', () => {
  it.each([
    [1, []],
    [2, [1, 0]],
    [3, [1, 1]],
    [20, [1, 18]],
  ])('%i has budgets that let one pod go at a time', (instances, least) => {
    const objects = objectsOf(specOf(manifestWith('', { instances }), 'kubernetes'));
    const budgets = objects.filter(object => object.kind === 'PodDisruptionBudget');
    expect(budgets.map(object => (object.spec as { minAvailable: number }).minAvailable)).toEqual(least);
  });

  it('of 0 keeps all but the pods, and rights of pods that are still there', () => {
    const input = inputOf(
      specOf(manifestWith('enableConnectionPooler: true', { instances: 0 }), 'kubernetes'),
    );
    const objects = desiredObjects({ ...input, facts: { ...input.facts, podsSeen: 2 } });
    expect(find(objects, 'StatefulSet', 'herd')?.spec).toMatchObject({ replicas: 0 });
    expect(find(objects, 'Deployment', 'herd-pooler')?.spec).toMatchObject({ replicas: 0 });
    expect(find(objects, 'Role', 'herd-pod')?.rules).toContainEqual(
      expect.objectContaining({ resources: ['pods'], resourceNames: ['herd-0', 'herd-1'] }),
    );
    const none = find(desiredObjects(input), 'Role', 'herd-pod')?.rules as { verbs: string[] }[];
    expect(none.filter(rule => rule.verbs.includes('patch'))).toHaveLength(1);
  });
});

function tlsOf(secretName: string) {
  return {
    secretName,
    certificateFile: 'tls.crt',
    privateKeyFile: 'tls.key',
    caFile: undefined,
    caSecretName: undefined,
  };
}
