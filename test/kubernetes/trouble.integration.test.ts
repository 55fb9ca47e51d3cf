/**
 * What happens around an operator: the API server goes away, rights are missing, another operator comes, volumes are
 * deleted or grow, certificates run out. One cluster of two members lives through it, so the tests depend on their order.
 */
import { execFile } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exec } from '../../src/platform/kubernetes/api/exec.ts';
import type { LiveObject } from '../../src/platform/kubernetes/api/kinds.ts';
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
    // Who may reach what is held by the cluster network, where it knows NetworkPolicies.
    bench = await Bench.open({ networkPolicies: { enabled: true, operatorNamespace: 'default' } });
    proxy = await bench.proxy();
    operator = await bench.operator({ proxy });
    await bench.create(NAME, {
      teamId: 'acid',
      postgresql: { version: bench.version },
      numberOfInstances: 2,
      enableConnectionPooler: true,
      volume: { size: '1Gi' },
      users: { bauer: [] },
      databases: { firmendaten: 'bauer' },
      resources: { requests: { cpu: '20m', memory: '100Mi' }, limits: { cpu: '1', memory: '500Mi' } },
    });
    await bench.settled(NAME, 3 * MINUTES);
    await bench.sqlThroughService(NAME, `${NAME}-0`, 'bauer', 'firmendaten', 'CREATE TABLE t AS SELECT 1;');
  }, 5 * MINUTES);

  afterAll(async () => {
    await proxy[Symbol.asyncDispose]();
    await bench[Symbol.asyncDispose]();
  });

  const uids = async () => new Map((await bench.members(NAME)).map(({ name, uid }) => [name, uid]));
  const primary = async () => (await bench.members(NAME)).find(member => member.primary)?.name ?? '';
  const condition = async (type: string) =>
    (await bench.status(NAME)).conditions?.find(item => item.type === type);
  const rows = async () =>
    bench.sqlThroughService(NAME, await primary(), 'bauer', 'firmendaten', 'SELECT count(*) FROM t;');

  test('the API server is away for 30 s: the operator returns by itself and mends what happened meanwhile', {
    timeout: 3 * MINUTES,
  }, async () => {
    const before = await uids();
    const ref = { kind: 'Service', namespace: bench.namespace, name: `${NAME}-repl` } as const;
    proxy.cut();
    await eventually('the operator to notice', 20_000, () => operator.log.join('').includes('is away'));
    await bench.client.remove(ref, {}, signal());
    await new Promise(resolve => setTimeout(resolve, 30_000));
    expect(await bench.client.get(ref, signal())).toBeUndefined();
    proxy.mend();
    await eventually('the Service to be back', 40_000, () => bench.client.get(ref, signal()));
    expect(await uids()).toEqual(before);
    expect(operator.log.join('').match(/is away/g)?.length).toBe(1);
  });

  test('of two installations that see one cluster the second stands back, and takes over when the first is gone', {
    timeout: 4 * MINUTES,
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
      await bench.settled(NAME, MINUTES);
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
    timeout: 4 * MINUTES,
  }, async () => {
    const before = await uids();
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
      const found = await condition('Stalled');
      return found?.status === 'True' ? found : undefined;
    });
    expect(stalled).toMatchObject({ reason: 'KubernetesForbidden' });
    expect(stalled.message).toMatch(/not allowed to list (services|serviceaccounts|secrets) in namespace/);
    expect(operator.log.join('')).toContain(`not allowed to list secrets in namespace ${bench.namespace}`);
    expect((await condition('Available'))?.status).toBe('True');

    await allow(without('services', 'create'));
    await bench.settled(NAME, MINUTES);
    const ref = { kind: 'Service', namespace: bench.namespace, name: `${NAME}-repl` } as const;
    await bench.client.remove(ref, {}, signal());
    const failed = await eventually('the next condition', MINUTES, async () => {
      const found = await condition('Stalled');
      return found?.status === 'True' ? found : undefined;
    });
    expect(failed.message).toMatch(/"(create|patch)" on "services"|cannot create resource "services"/);

    await allow([...CLUSTER_RIGHTS, ...LEASE_RIGHTS]);
    await bench.settled(NAME, 2 * MINUTES);
    expect(await bench.client.get(ref, signal())).toBeDefined();
    expect(await uids()).toEqual(before);
    proxy.impersonate = undefined;
  });

  test('a member whose pod and volume were deleted comes back by itself, also the primary', {
    timeout: 5 * MINUTES,
  }, async () => {
    for (const role of ['standby', 'primary']) {
      const before = await uids();
      const first = await primary();
      const lost = role === 'primary' ? first : ([...before.keys()].find(name => name !== first) ?? '');
      const at = { namespace: bench.namespace };
      const volume = (await bench.get('PersistentVolumeClaim', `pgdata-${lost}`))?.metadata.uid;
      await bench.client.remove(
        { kind: 'PersistentVolumeClaim', ...at, name: `pgdata-${lost}` },
        {},
        signal(),
      );
      if (role === 'standby') await bench.client.remove({ kind: 'Pod', ...at, name: lost }, {}, signal());
      await eventually('a new pod with a new volume', 2 * MINUTES, async () => {
        const claim = await bench.get('PersistentVolumeClaim', `pgdata-${lost}`);
        return (
          (await uids()).get(lost) !== before.get(lost) &&
          claim !== undefined &&
          claim.metadata.uid !== volume
        );
      });
      await bench.settled(NAME, 2 * MINUTES);
      expect((await bench.members(NAME)).filter(({ ready }) => ready).length).toBe(2);
      expect(await rows()).toBe('1');
    }
  });

  test('a larger volume is asked for without a restart, and said until it is there', {
    timeout: 3 * MINUTES,
  }, async () => {
    const before = await uids();
    await bench.edit(NAME, { volume: { size: '2Gi' } });
    const said = await eventually('the condition', MINUTES, async () => {
      const [progressing, stalled] = [await condition('Progressing'), await condition('Stalled')];
      if (stalled?.reason === 'VolumeNotExpandable') return stalled;
      return progressing?.message.includes('asked to grow') ? progressing : undefined;
    });
    if (said.reason === 'VolumeNotExpandable') {
      // So it is with K3s' own class.
      await bench.edit(NAME, { volume: { size: '1Gi' } });
    } else {
      for (const name of before.keys()) {
        const ref = {
          kind: 'PersistentVolumeClaim',
          namespace: bench.namespace,
          name: `pgdata-${name}`,
        } as const;
        const claim = await bench.client.get(ref, signal());
        expect(claim?.spec).toMatchObject({ resources: { requests: { storage: '2Gi' } } });
        // What a driver would do: local directories do not grow, nor need they.
        await bench.client.merge(ref, { status: { capacity: { storage: '2Gi' } } }, signal(), 'status');
      }
      const set = (await bench.get('StatefulSet', NAME))?.spec as {
        volumeClaimTemplates: { spec: { resources: { requests: { storage: string } } } }[];
      };
      expect(set.volumeClaimTemplates[0]?.spec.resources.requests.storage).toBe('2Gi');
    }
    await bench.settled(NAME, MINUTES);
    expect(await uids()).toEqual(before);
  });

  test('certificates that run out are renewed, and read by every server without a restart', {
    timeout: 5 * MINUTES,
  }, async () => {
    const before = await uids();
    const poolers = async () => {
      const labelSelector = `connection-pooler=${NAME}-pooler`;
      const { items } = await bench.client.list(
        'Pod',
        { namespace: bench.namespace, labelSelector },
        signal(),
      );
      return items;
    };
    const restarts = async () =>
      new Map(
        (await poolers()).map(pod => [
          pod.metadata.uid,
          (pod.status as { containerStatuses: { restartCount: number }[] }).containerStatuses[0]
            ?.restartCount,
        ]),
      );
    const poolersBefore = await restarts();
    /** Hashes of what clients are shown by Patroni, PostgreSQL and PgBouncer. */
    const shown = async () => {
      const from = await primary();
      const addressOf = (pod: LiveObject | undefined) =>
        (pod?.status as { podIP?: string } | undefined)?.podIP;
      const members = await Promise.all([...before.keys()].map(name => bench.get('Pod', name)));
      const hosts = [
        ...members.flatMap(pod => [`${addressOf(pod)} 8008`, `${addressOf(pod)} 5432`]),
        ...(await poolers()).map(pod => `${addressOf(pod)} 5432`),
      ];
      const target = { namespace: bench.namespace, pod: from, container: 'postgres' };
      const options = { timeoutMs: 20_000, signal: signal() };
      const result = await exec(bench.client, target, ['python3', '-c', PRESENTED, ...hosts], options);
      expect(result.stderr).toBe('');
      return result.stdout.trim().split('\n');
    };
    const old = await shown();
    expect(old.length).toBeGreaterThanOrEqual(5);
    const shortLived = await certificateThatRunsOut();
    const ref = { kind: 'Secret', namespace: bench.namespace, name: `${NAME}-tls-pgherd` } as const;
    const data = Object.fromEntries(
      Object.entries(shortLived).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
    );
    await bench.client.merge(ref, { data }, signal());
    const renewed = await eventually('the certificate to be renewed', 30_000, async () => {
      const secret = (await bench.client.get(ref, signal()))?.data as Record<string, string>;
      return secret['tls.crt'] === data['tls.crt'] ? undefined : secret['tls.crt'];
    });
    expect(renewed).not.toBe(data['tls.crt']);
    await eventually('every server to present it', 3 * MINUTES, async () => {
      const now = await shown();
      return new Set(now).size === 1 && now[0] === fingerprint(renewed);
    });
    expect(await uids()).toEqual(before);
    expect(await restarts()).toEqual(poolersBefore);
    await bench.settled(NAME, MINUTES);
  });

  test('with NetworkPolicies a stranger does not reach Patroni, and everybody reaches PostgreSQL', {
    timeout: 4 * MINUTES,
  }, async () => {
    const member = await bench.get('Pod', await primary());
    const { podIP } = (member?.status ?? {}) as { podIP?: string };
    const { containers = [] } = (member?.spec ?? {}) as { containers?: { image: string }[] };
    const image = containers[0]?.image;
    const reach = (port: number) =>
      `{ timeout 5 bash -c '</dev/tcp/${podIP}/${port}' 2>/dev/null && echo ${port} open || echo ${port} shut; }`;
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'stranger', namespace: bench.namespace },
      spec: {
        restartPolicy: 'Never',
        securityContext: { runAsUser: 101, runAsGroup: 103 },
        // A new pod is known to those who hold the policies a moment later.
        containers: [
          {
            name: 'stranger',
            image,
            command: [
              'bash',
              '-c',
              `for n in {1..30}; do ${reach(5432)} | grep open && break; sleep 1; done; ${reach(8008)}`,
            ],
          },
        ],
      },
    };
    await bench.client.create(pod, signal());
    await eventually('the stranger to have tried', 2 * MINUTES, async () => {
      const { phase } = ((await bench.get('Pod', 'stranger'))?.status ?? {}) as { phase?: string };
      return phase === 'Succeeded';
    });
    const response = await bench.client.connection.send(
      { method: 'GET', path: `/api/v1/namespaces/${bench.namespace}/pods/stranger/log` },
      signal(),
    );
    let log = '';
    for await (const chunk of response) log += String(chunk);
    expect(log).toContain('5432 open');
    expect(log).toContain('8008 shut');
  });

  /** A certificate of the cluster's own authority that is due for renewal. */
  async function certificateThatRunsOut(): Promise<Record<string, string>> {
    const secret = (await bench.get('Secret', `${NAME}-ca-pgherd`))?.data as Record<string, string>;
    const directory = await mkdtemp(join(tmpdir(), 'pgherd-due-'));
    const file = (name: string) => join(directory, name);
    try {
      for (const name of ['ca.crt', 'ca.key'])
        await writeFile(file(name), Buffer.from(secret[name] ?? '', 'base64'), { mode: 0o600 });
      await promisify(execFile)('openssl', [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30'],
        ...['-subj', `/CN=${NAME}`, '-CA', file('ca.crt'), '-CAkey', file('ca.key')],
        ...['-keyout', file('tls.key'), '-out', file('tls.crt')],
      ]);
      const [certificate, key] = [
        await readFile(file('tls.crt'), 'utf8'),
        await readFile(file('tls.key'), 'utf8'),
      ];
      return { 'tls.crt': certificate, 'tls.key': key };
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }
});

function fingerprint(base64: string): string {
  const { raw } = new X509Certificate(Buffer.from(base64, 'base64'));
  return createHash('sha256').update(raw).digest('hex');
}

/** Prints the hash of the certificate that each "address port" presents; asks PostgreSQL's way for TLS on 5432. */
const PRESENTED = `
import hashlib, socket, ssl, struct, sys
for argument in sys.argv[1:]:
    address, port = argument.split()
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection((address, int(port)), timeout=5) as plain:
        if port == "5432":
            plain.sendall(struct.pack("!ii", 8, 80877103))
            plain.recv(1)
        with context.wrap_socket(plain) as tls:
            print(hashlib.sha256(tls.getpeercert(True)).hexdigest())
`;
