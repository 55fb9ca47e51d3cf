/**
 * What servers show to clients, and who reaches them: certificates that run out, NetworkPolicies. One cluster of two
 * members with its pooler lives through it.
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
import { eventually } from '../support/poll.ts';
import { Bench, obstacle } from './support.ts';

const NAME = 'reached';
const MINUTES = 60_000;
const signal = () => AbortSignal.timeout(MINUTES);

describe.skipIf(obstacle !== undefined)('certificates and NetworkPolicies on Kubernetes', () => {
  let bench: Bench;

  beforeAll(async () => {
    // Who may reach what is held by the cluster network, where it knows NetworkPolicies.
    bench = await Bench.open({ networkPolicies: { enabled: true, operatorNamespace: 'default' } });
    await bench.operator();
    await bench.createSmall(NAME, { enableConnectionPooler: true });
    await bench.settled(NAME, 3 * MINUTES);
  }, 5 * MINUTES);

  afterAll(async () => {
    await bench[Symbol.asyncDispose]();
  });

  test('certificates that run out are renewed, and read by every server without a restart', {
    timeout: 5 * MINUTES,
  }, async () => {
    const before = await bench.uids(NAME);
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
      const from = await bench.primary(NAME);
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
    expect(await bench.uids(NAME)).toEqual(before);
    expect(await restarts()).toEqual(poolersBefore);
    await bench.settled(NAME, MINUTES);
  });

  test('with NetworkPolicies a stranger does not reach Patroni, and everybody reaches PostgreSQL', {
    timeout: 4 * MINUTES,
  }, async () => {
    const member = await bench.get('Pod', await bench.primary(NAME));
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
