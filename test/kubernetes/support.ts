import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { customResourceDefinition } from '../../src/core/manifest/crd/definition.ts';
import { KubeClient } from '../../src/platform/kubernetes/api/client.ts';
import { Connection } from '../../src/platform/kubernetes/api/connection.ts';
import { start } from '../../src/platform/kubernetes/api/exec.ts';
import type { Kind, LiveObject } from '../../src/platform/kubernetes/api/kinds.ts';
import { findAccess } from '../../src/platform/kubernetes/api/kubeconfig.ts';
import type { ClusterStatus, Condition } from '../../src/platform/kubernetes/status/compute.ts';
import { eventually } from '../support/poll.ts';
import { ApiProxy } from './apiProxy.ts';

const { PGHERD_TEST_KUBECONFIG: kubeconfig, PGHERD_TEST_OPERATOR_CONFIG: configFile } = process.env;

/** Why the tests of this directory do not run here; undefined: they do. */
export const obstacle =
  kubeconfig === undefined || configFile === undefined
    ? 'set PGHERD_TEST_KUBECONFIG to the kubeconfig of a cluster for tests, and PGHERD_TEST_OPERATOR_CONFIG to a file ' +
      'with the images that it has (images: {"17": …}, poolerImage: …)'
    : undefined;

export interface OperatorOptions {
  /** Whether to wait until it leads. */
  leads?: boolean;
  /** The way to the API server; undefined: straight. */
  proxy?: ApiProxy;
  /** Where its Lease lies; undefined: in the namespace of the clusters. */
  namespace?: string;
}

export interface RunningOperator {
  /** Settles when the process has ended. */
  ended: Promise<void>;
  /** What it has written so far. */
  log: string[];
  kill(name: NodeJS.Signals): Promise<void>;
  /** Its metrics, summed over labels. */
  metrics(): Promise<Record<string, number>>;
}

const signal = () => AbortSignal.timeout(30_000);

/** A namespace of its own on a real API server, and operators that run beside it as processes. */
export class Bench implements AsyncDisposable {
  readonly client: KubeClient;
  readonly namespace: string;
  /** Newest major version that there is an image for. */
  readonly version: string;
  readonly #directory: string;
  readonly #operators: { process: ChildProcess; log: string[] }[] = [];

  private constructor(client: KubeClient, namespace: string, version: string, directory: string) {
    this.client = client;
    this.namespace = namespace;
    this.version = version;
    this.#directory = directory;
  }

  /** `more`: of the operator's configuration. */
  static async open(more: object = {}): Promise<Bench> {
    const client = new KubeClient(
      await Connection.open({ kubeconfig, context: undefined, env: process.env }),
    );
    const namespace = `pgherd-test-${randomBytes(3).toString('hex')}`;
    const config = parse(await readFile(configFile ?? '', 'utf8')) as { images: Record<string, string> };
    const directory = await mkdtemp(join(tmpdir(), 'pgherd-kube-'));
    await writeFile(
      join(directory, 'operator.yaml'),
      stringify({ ...config, ...more, watchedNamespaces: [namespace] }),
    );
    const version = Object.keys(config.images).sort().at(-1) ?? '';
    await client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }, signal());
    await client.apply(customResourceDefinition(), signal());
    return new Bench(client, namespace, version, directory);
  }

  /** Starts an operator; resolves when it leads, or at once if it need not. */
  async operator({ leads = true, proxy, namespace }: OperatorOptions = {}): Promise<RunningOperator> {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    let config = kubeconfig ?? '';
    if (proxy !== undefined) {
      config = join(this.#directory, `proxy-${port}.yaml`);
      await writeFile(config, stringify(proxy.kubeconfig));
    }
    const argv = [
      ...['src/main.ts', 'operator', '--config', join(this.#directory, 'operator.yaml')],
      ...['--kubeconfig', config, '--namespace', namespace ?? this.namespace],
      ...['--metrics-port', String(port)],
    ];
    const process_ = spawn(process.execPath, argv, { stdio: ['ignore', 'ignore', 'pipe'] });
    const log: string[] = [];
    process_.stderr.on('data', chunk => log.push(String(chunk)));
    const ended = new Promise<void>(resolve => process_.once('exit', () => resolve()));
    this.#operators.push({ process: process_, log });
    const said = (text: string) => log.join('').includes(text);
    const dead = () => process_.exitCode !== null || process_.signalCode !== null;
    await eventually('the operator to start', 60_000, () => said(leads ? 'leads:' : 'speaks to') || dead());
    return {
      log,
      ended,
      async kill(name) {
        process_.kill(name);
        await ended;
      },
      async metrics() {
        const response = await fetch(`http://127.0.0.1:${port}/metrics`, { signal: signal() });
        const sums: Record<string, number> = {};
        for (const line of (await response.text()).split('\n')) {
          const [, name, value] = /^(\w+)(?:\{.*\})? (\S+)$/.exec(line) ?? [];
          if (name !== undefined) sums[name] = (sums[name] ?? 0) + Number(value);
        }
        return sums;
      },
    };
  }

  /** Another way to the API server, that can be cut and watched. */
  async proxy(): Promise<ApiProxy> {
    return ApiProxy.open(await findAccess({ kubeconfig, context: undefined, env: process.env }));
  }

  /** The Lease of an operator that was killed: whoever comes next need not wait until it runs out. */
  async freeLease(): Promise<void> {
    const ref = { kind: 'Lease', namespace: this.namespace, name: 'pgherd-operator' } as const;
    await this.client.remove(ref, {}, signal());
  }

  /** Changes fields of the manifest, as an edit does. */
  async edit(name: string, spec: object, annotations: Record<string, string> = {}): Promise<void> {
    const ref = { kind: 'postgresql', namespace: this.namespace, name } as const;
    await this.client.merge(ref, { metadata: { annotations }, spec }, signal());
  }

  /** What tests of one cluster begin with; `more` of its spec. */
  async createSmall(name: string, more: object = {}): Promise<void> {
    await this.create(name, {
      teamId: 'acid',
      postgresql: { version: this.version },
      numberOfInstances: 2,
      volume: { size: '1Gi' },
      users: { bauer: [] },
      databases: { firmendaten: 'bauer' },
      resources: { requests: { cpu: '20m', memory: '100Mi' }, limits: { cpu: '1', memory: '500Mi' } },
      ...more,
    });
  }

  async create(name: string, spec: object): Promise<void> {
    await this.client.create(
      {
        apiVersion: 'acid.zalan.do/v1',
        kind: 'postgresql',
        metadata: { name, namespace: this.namespace },
        spec,
      },
      signal(),
    );
  }

  get(kind: Kind, name: string): Promise<LiveObject | undefined> {
    return this.client.get({ kind, namespace: this.namespace, name }, signal());
  }

  async status(name: string): Promise<Partial<ClusterStatus> & { generation: number }> {
    const cluster = await this.get('postgresql', name);
    return { ...(cluster?.status as Partial<ClusterStatus>), generation: cluster?.metadata.generation ?? 0 };
  }

  async condition(name: string, type: string): Promise<Condition | undefined> {
    return (await this.status(name)).conditions?.find(item => item.type === type);
  }

  /** Whether the cluster is as its manifest of this moment asks. */
  async isSettled(name: string): Promise<boolean> {
    const status = await this.status(name);
    const { PostgresClusterStatus, observedGeneration, generation, conditions = [] } = status;
    const ready = conditions.find(({ type }) => type === 'Ready')?.status;
    return PostgresClusterStatus === 'Running' && observedGeneration === generation && ready === 'True';
  }

  /** Waits until it is. Resolves with the seconds it took. */
  async settled(name: string, withinMs: number): Promise<number> {
    const began = performance.now();
    await eventually(`${name} to be as asked`, withinMs, () => this.isSettled(name));
    return (performance.now() - began) / 1000;
  }

  async members(name: string): Promise<{ name: string; uid: string; ready: boolean; primary: boolean }[]> {
    const labelSelector = `application=spilo,cluster-name=${name}`;
    const { items } = await this.client.list('Pod', { namespace: this.namespace, labelSelector }, signal());
    return items.map(pod => {
      const status = pod.status as { conditions?: { type: string; status: string }[] } | undefined;
      return {
        name: pod.metadata.name,
        uid: pod.metadata.uid,
        ready: status?.conditions?.some(item => item.type === 'Ready' && item.status === 'True') === true,
        primary: pod.metadata.labels?.['spilo-role'] === 'master',
      };
    });
  }

  /** Pods of the members by name: another uid is another pod. */
  async uids(name: string): Promise<Map<string, string>> {
    return new Map((await this.members(name)).map(member => [member.name, member.uid]));
  }

  /** '': nobody has its label. */
  async primary(name: string): Promise<string> {
    return (await this.members(name)).find(member => member.primary)?.name ?? '';
  }

  /** Runs SQL in a member as the given user, through the Service of the primary. */
  async sqlThroughService(
    cluster: string,
    from: string,
    user: string,
    database: string,
    sql: string,
  ): Promise<string> {
    const words = ['psql', '-X', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-f', '-'];
    const result = await this.#inMember(cluster, { from, user, database, service: cluster }, words, sql);
    if (result.code !== 0) throw new Error(`psql exited with ${result.code}: ${result.stderr}`);
    return result.stdout.trim();
  }

  /** Four clients write through the pooler for so long; resolves with what pgbench says of them at the end. */
  async writersThroughPooler(
    cluster: string,
    from: string,
    user: string,
    database: string,
    options: { sql: string; seconds: number },
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    const words = ['pgbench', '-n', '-c', '4', '-T', String(options.seconds), '-f', '/dev/stdin'];
    const place = { from, user, database, service: `${cluster}-pooler` };
    return await this.#inMember(cluster, place, words, options.sql);
  }

  /** Runs a client program in a member; password and input go in on stdin. */
  async #inMember(
    cluster: string,
    {
      from,
      user,
      database,
      service: name,
    }: { from: string; user: string; database: string; service: string },
    words: string[],
    input: string,
  ) {
    const secret = await this.get('Secret', `${user}.${cluster}.credentials.postgresql.acid.zalan.do`);
    const password = Buffer.from(
      (secret?.data as { password?: string } | undefined)?.password ?? '',
      'base64',
    ).toString();
    const service = await this.get('Service', name);
    const { clusterIP } = (service?.spec ?? {}) as { clusterIP?: string };
    const target = { namespace: this.namespace, pod: from, container: 'postgres' };
    const line = `host=${clusterIP} user=${user} dbname=${database} sslmode=require connect_timeout=3`;
    // What the program reads ends with a line of its own: exec cannot close the input alone.
    const script = 'read -r PGPASSWORD; export PGPASSWORD; line=$1; shift; sed "/^END$/Q" | "$@" "$line"';
    await using running = await start(
      this.client,
      target,
      ['bash', '-o', 'pipefail', '-c', script, 'sh', line, ...words],
      signal(),
    );
    running.write(`${password}\n${input}\nEND\n`);
    return await running.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { process: child } of this.#operators) if (child.exitCode === null) child.kill('SIGKILL');
    const clusters = await this.client.list('postgresql', { namespace: this.namespace }, signal());
    for (const { metadata } of clusters.items) {
      const ref = { kind: 'postgresql', namespace: this.namespace, name: metadata.name } as const;
      // Nobody is left who would take the finalizer away.
      await this.client.merge(ref, { metadata: { finalizers: null } }, signal());
    }
    await this.client.remove({ kind: 'Namespace', namespace: undefined, name: this.namespace }, {}, signal());
    await rm(this.#directory, { recursive: true, force: true });
  }
}
