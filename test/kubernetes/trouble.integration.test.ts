/**
 * What happens around an operator: the API server goes away, another operator comes, rights are missing. One cluster of
 * two members lives through it, so the tests depend on their order.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CLUSTER_RIGHTS, LEASE_RIGHTS } from '../../src/platform/kubernetes/install/rights.ts';
import { eventually } from '../support/poll.ts';
import type { ApiProxy } from './apiProxy.ts';
import { Bench, obstacle, type RunningOperator } from './support.ts';

const NAME = 'trouble';
const MINUTES = 60_000;
const signal = () => AbortSignal.timeout(MINUTES);

describe.skipIf(obstacle !== undefined)('trouble around an operator', () => {
  let bench: Bench;
  let proxy: ApiProxy;
  let operator: RunningOperator;

  beforeAll(async () => {
    bench = await Bench.open();
    proxy = await bench.proxy();
    operator = await bench.operator({ proxy });
    await bench.createSmall(NAME);
    await bench.settled(NAME, 3 * MINUTES);
  }, 5 * MINUTES);

  afterAll(async () => {
    await proxy[Symbol.asyncDispose]();
    await bench[Symbol.asyncDispose]();
  });

  test('the API server is away for 30 s: the operator returns by itself and mends what happened meanwhile', {
    timeout: 3 * MINUTES,
  }, async () => {
    const before = await bench.uids(NAME);
    const ref = { kind: 'Service', namespace: bench.namespace, name: `${NAME}-repl` } as const;
    proxy.cut();
    await eventually('the operator to notice', 20_000, () => operator.log.join('').includes('is away'));
    await bench.client.remove(ref, {}, signal());
    await new Promise(resolve => setTimeout(resolve, 30_000));
    expect(await bench.client.get(ref, signal())).toBeUndefined();
    proxy.mend();
    await eventually('the Service to be back', 40_000, () => bench.client.get(ref, signal()));
    expect(await bench.uids(NAME)).toEqual(before);
    expect(operator.log.join('').match(/is away/g)?.length).toBe(1);
  });

  test('of two installations that see one cluster the second stands back, and takes over when the first is gone', {
    timeout: 10 * MINUTES,
  }, async () => {
    const namespace = `${bench.namespace}-other`;
    const other = { kind: 'Namespace', namespace: undefined, name: namespace } as const;
    await bench.client.apply(
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
      signal(),
    );
    try {
      const second = await bench.operator({ namespace });
      const owner = async () =>
        (await bench.get('postgresql', NAME))?.metadata.annotations?.['pgherd.dev/operator'];
      const { items } = await eventually('it to stand back', MINUTES, async () => {
        const events = await bench.client.list('Event', { namespace: bench.namespace }, signal());
        return events.items.some(({ reason }) => reason === 'StandsBack') ? events : undefined;
      });
      expect(items.filter(({ reason }) => reason === 'StandsBack')[0]?.message).toContain(
        `${bench.namespace}/pgherd-operator`,
      );
      expect(await owner()).toBe(`${bench.namespace}/pgherd-operator`);
      await operator.kill('SIGKILL');
      await eventually('the other one to take over', MINUTES, async () =>
        (await owner())?.startsWith(namespace),
      );
      await bench.settled(NAME, 3 * MINUTES);
      await second.kill('SIGTERM');
      operator = await bench.operator({ proxy });
      await eventually(
        'the first one to have it again',
        MINUTES,
        async () => !(await owner())?.startsWith(namespace),
      );
    } finally {
      await bench.client.remove(other, {}, signal());
    }
  });

  test('a right that is missing is named, verb and resource, and the cluster is left alone until it is there', {
    timeout: 10 * MINUTES,
  }, async () => {
    const before = await bench.uids(NAME);
    const account = { name: 'limited', namespace: bench.namespace };
    const user = `system:serviceaccount:${bench.namespace}:limited`;
    const allow = (rules: object[]) =>
      bench.client.apply(
        { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: account, rules },
        signal(),
      );
    const without = (resource: string, verb: string) =>
      [...CLUSTER_RIGHTS, ...LEASE_RIGHTS].map(right =>
        right.resources.includes(resource)
          ? { ...right, verbs: right.verbs.filter(item => item !== verb) }
          : right,
      );
    await allow(without('secrets', 'list'));
    await bench.client.apply(
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: account,
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'limited' },
        subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: user }],
      },
      signal(),
    );
    await operator.kill('SIGTERM');
    proxy.impersonate = user;
    operator = await bench.operator({ proxy });
    const stalled = await eventually('the condition', MINUTES, async () => {
      const found = await bench.condition(NAME, 'Stalled');
      return found?.status === 'True' ? found : undefined;
    });
    expect(stalled).toMatchObject({ reason: 'KubernetesForbidden' });
    expect(stalled.message).toMatch(/not allowed to list (services|serviceaccounts|secrets) in namespace/);
    expect(operator.log.join('')).toContain(`not allowed to list secrets in namespace ${bench.namespace}`);
    expect((await bench.condition(NAME, 'Available'))?.status).toBe('True');

    await allow(without('services', 'create'));
    await bench.settled(NAME, 3 * MINUTES);
    const ref = { kind: 'Service', namespace: bench.namespace, name: `${NAME}-repl` } as const;
    await bench.client.remove(ref, {}, signal());
    const failed = await eventually('the next condition', MINUTES, async () => {
      const found = await bench.condition(NAME, 'Stalled');
      return found?.status === 'True' ? found : undefined;
    });
    expect(failed.message).toMatch(/"(create|patch)" on "services"|cannot create resource "services"/);

    await allow([...CLUSTER_RIGHTS, ...LEASE_RIGHTS]);
    await bench.settled(NAME, 2 * MINUTES);
    expect(await bench.client.get(ref, signal())).toBeDefined();
    expect(await bench.uids(NAME)).toEqual(before);
    proxy.impersonate = undefined;
  });
});
