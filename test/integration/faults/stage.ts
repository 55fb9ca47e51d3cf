/** The cluster that is broken again and again, and what can be seen of it from outside. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Fault } from '../../../src/core/drill/fault.ts';
import type { Observation } from '../../../src/core/topology/observation.ts';
import { judge } from '../../../src/core/topology/verdict.ts';
import type { ApplyContext, Faults, Injection, PlatformCluster } from '../../../src/platform/contract.ts';
import { createLocalPlatform } from '../../../src/platform/local/index.ts';
import { Cluster } from '../../support/cluster.ts';
import { ROOT } from '../../support/command.ts';
import { manifest } from '../../support/manifest.ts';
import { eventually, WITHIN } from '../../support/poll.ts';
import { type ProcessInfo, processesOf } from '../../support/processes.ts';
import type { Sandbox } from '../../support/sandbox.ts';

export class Stage {
  readonly cluster: Cluster;
  readonly file: string;
  readonly #sandbox: Sandbox;
  #opened: PlatformCluster | undefined;

  constructor(sandbox: Sandbox, name: string) {
    this.#sandbox = sandbox;
    this.cluster = new Cluster(sandbox, name);
    const spec = { enableConnectionPooler: true };
    this.file = sandbox.file(`${name}.yaml`, manifest({ name, instances: 3, spec }));
  }

  async open(): Promise<void> {
    await this.cluster.up(this.file);
    await this.reopen();
    await this.whole();
  }

  /** A fresh look at the cluster: kept connections have ended with their servers. */
  async reopen(): Promise<void> {
    this.#opened?.[Symbol.dispose]();
    const platform = createLocalPlatform({
      stateDir: this.#sandbox.stateDir,
      toolsDir: this.#sandbox.env.PGHERD_TOOLS_DIR,
      launch: { node: process.execPath, main: join(ROOT, 'src', 'main.ts') },
      onSetup: () => {},
    });
    const ref = { name: this.cluster.name, namespace: this.cluster.namespace };
    this.#opened = await platform.open(ref, this.soon());
  }

  get opened(): PlatformCluster {
    if (this.#opened === undefined) throw new Error('not open yet');
    return this.#opened;
  }

  get faults(): Faults {
    return this.opened.faults;
  }

  get registerDirectory(): string {
    return join(this.cluster.root, 'faults');
  }

  soon(): AbortSignal {
    return AbortSignal.timeout(WITHIN.streaming);
  }

  context(): ApplyContext {
    return { signal: this.soon(), progress: () => {} };
  }

  /** Injects, and undoes at the end of the test should that not do so itself. */
  async inject(fault: Fault): Promise<Injection> {
    const injection = await this.faults.inject(fault, this.soon());
    onTestFinished(async () => await injection.undo(this.soon()));
    return injection;
  }

  /** A process that injects a fault and lives until it is killed. */
  async injectElsewhere(fault: Fault): Promise<ChildProcess> {
    const { stateDir, env } = this.#sandbox;
    const script = join(ROOT, 'test', 'support', 'inject.ts');
    const argv = [script, stateDir, env.PGHERD_TOOLS_DIR ?? '', this.cluster.name, JSON.stringify(fault)];
    const child = spawn(process.execPath, argv, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    await Promise.race([
      once(child.stdout, 'data'),
      once(child, 'exit').then(() => Promise.reject(new Error('the injector ended'))),
    ]);
    return child;
  }

  async look(): Promise<Observation> {
    return await this.opened.observe({ catalog: false }, this.soon());
  }

  /** Waits until the cluster is healthy. */
  async whole(withinMs: number = WITHIN.streaming): Promise<Observation> {
    return await eventually('the cluster to be whole', withinMs, async () => {
      const observed = await this.look();
      const { verdict, sentence } = judge(observed, this.opened.spec);
      if (verdict !== 'healthy') throw new Error(sentence);
      return observed;
    });
  }

  async primary(): Promise<string> {
    const { members } = await this.look();
    const [primary] = members.filter(member => member.role === 'primary');
    if (primary === undefined) throw new Error(`no primary: ${JSON.stringify(members)}`);
    return primary.name;
  }

  /** The synchronous one comes last. */
  async standbys(): Promise<string[]> {
    const { members } = await this.look();
    return members
      .filter(member => member.role === 'standby')
      .sort((a, b) => Number(a.synchronous) - Number(b.synchronous))
      .map(member => member.name);
  }

  processes(): ProcessInfo[] {
    return processesOf(this.#sandbox.stateDir);
  }

  /** Patroni, PostgreSQL with all it has started, and the voter beside it. */
  ofHost(member: string): ProcessInfo[] {
    const all = this.processes();
    const ordinal = member.slice(member.lastIndexOf('-'));
    const confs = [member, `etcd${ordinal}`].map(name => join(this.cluster.root, 'conf', name));
    const data = join(this.cluster.root, 'data', member, 'pgdata');
    const roots = all.filter(({ command }) => {
      return confs.some(conf => command.includes(`${conf}/`)) || command.includes(`-D ${data} `);
    });
    const parents = roots.map(({ pid }) => pid);
    return [...roots, ...all.filter(one => parents.includes(one.parent) && !parents.includes(one.pid))];
  }
}

/** T: stopped; undefined: it has ended. */
export function stateOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const state = stat.slice(stat.lastIndexOf(')') + 2)[0];
    return state === 'Z' || state === 'X' ? undefined : state;
  } catch {
    return undefined;
  }
}

export function commandOf(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
}

/** The process that a description names: "SIGSTOP to walwriter 4711 of demo-0". */
export function pidIn(description: string): number {
  const pid = /\b(\d{2,}) of /.exec(description)?.[1];
  if (pid === undefined) throw new Error(`no process in: ${description}`);
  return Number(pid);
}
