/**
 * A host of a baseline: servers in a namespace of processes, started again when they die as systemd's
 * Restart=always does (after 100 ms), below tini, which collects what dies. The death of the first process takes all
 * others along at one stroke, as the loss of power does; so does the death of the benchmark itself.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  allProcesses,
  type FoundProcess,
  send,
  untilGone,
  withDescendants,
} from '../../src/platform/local/faults/processes.ts';

export interface HostPlan {
  /** File of the network namespace; undefined: this machine's own. */
  network: string | undefined;
  home: string;
  user: { uid: number; gid: number };
  env: Record<string, string>;
  /** Name and argv of each. Their output goes to files in `home`. */
  servers: Record<string, readonly string[]>;
  programs: { nsenter: string; tini: string };
}

const STOP_MS = 15_000;

export class Host {
  readonly #plan: HostPlan;
  #child: ChildProcess | undefined;

  constructor(plan: HostPlan) {
    this.#plan = plan;
  }

  get running(): boolean {
    return this.#child !== undefined;
  }

  start(): void {
    const { home, network, user, env, programs } = this.#plan;
    const script = join(home, 'run.sh');
    writeFileSync(script, this.#script(), { mode: 0o755 });
    const argv = [
      ...['setpriv', '--pdeathsig', 'KILL', '--'],
      ...(network === undefined ? [] : [programs.nsenter, `--net=${network}`, '--']),
      ...['unshare', '--pid', '--fork', '--kill-child=KILL', '--mount-proc', '--', programs.tini, '--'],
      ...['setpriv', '--reuid', String(user.uid), '--regid', String(user.gid), '--clear-groups', '--'],
      ...['/bin/sh', script],
    ];
    const [program = '', ...args] = argv;
    this.#child = spawn(program, args, {
      // A Ctrl-C is for the benchmark: it stops its hosts in order.
      detached: true,
      stdio: 'ignore',
      cwd: home,
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8', HOME: home, ...env },
    });
    this.#child.once('error', () => {});
  }

  /** Everything ends at once. Resolves when nothing is left. */
  async powerOff(): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined) return;
    this.#child = undefined;
    const all = await this.#processes(child.pid);
    const ended = once(child, 'exit');
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await Promise.race([ended, delay(STOP_MS, undefined, { ref: false })]);
    }
    const signal = AbortSignal.timeout(STOP_MS);
    await untilGone(all, 'the processes of a host to end', signal);
  }

  /** Sends a signal to the first process of a server. Resolves with the process. */
  async signal(find: (found: FoundProcess) => boolean, name: NodeJS.Signals): Promise<FoundProcess> {
    const found = await this.find(find);
    if (found === undefined || (await send([found], name)) === 0) throw new Error('no such process');
    return found;
  }

  /** The first of the processes that are chosen: none of its parents is chosen, too. */
  async find(chosen: (found: FoundProcess) => boolean): Promise<FoundProcess | undefined> {
    if (this.#child?.pid === undefined) return undefined;
    const matching = (await this.#processes(this.#child.pid)).filter(chosen);
    return matching.find(({ parent }) => !matching.some(({ pid }) => pid === parent));
  }

  async #processes(root: number): Promise<FoundProcess[]> {
    return withDescendants([root], await allProcesses());
  }

  #script(): string {
    const { servers, home } = this.#plan;
    const word = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
    return [
      'keep() { log=$1; shift; while :; do "$@" >> "$log" 2>&1; sleep 0.1; done; }',
      ...Object.entries(servers).map(
        ([name, argv]) => `keep ${word(join(home, `${name}.log`))} ${argv.map(word).join(' ')} &`,
      ),
      'wait',
      '',
    ].join('\n');
  }
}
