/** The network of a baseline: a namespace for each host, a switch in one of its own, one interface to the outside. */
import { readdirSync } from 'node:fs';
import { run } from '../../src/lib/exec.ts';
import type { IsolationPrograms } from '../../src/platform/local/setup/index.ts';
import { addressOf, HOSTS, OUTSIDE, PREFIX } from './layout.ts';

const HUB = 'pgherd-bench-hub';
const LINK = 'pgherd-bench';
const DIRECTORY = '/run/netns';
const COMMAND_MS = 10_000;

export const namespaceOf = (host: number): string => `pgherd-bench-${host}`;
export const namespaceFile = (host: number): string => `${DIRECTORY}/${namespaceOf(host)}`;

export class Network implements AsyncDisposable {
  readonly #programs: IsolationPrograms;

  private constructor(programs: IsolationPrograms) {
    this.#programs = programs;
  }

  /** Makes it anew; what a bench that was killed has left is taken away first. Refuses beside another bench. */
  static async make(programs: IsolationPrograms): Promise<Network> {
    const network = new Network(programs);
    for (const name of network.#present()) {
      if ((await network.#ip(['netns', 'pids', name])).trim() !== '') {
        throw new Error(`processes run in ${name}: another benchmark of drills is under way`);
      }
    }
    await network.#remove();
    try {
      await network.#build();
    } catch (error) {
      await network.#remove();
      throw error;
    }
    return network;
  }

  async setLink(host: number, state: 'up' | 'down'): Promise<void> {
    await this.#ip(['-n', namespaceOf(host), 'link', 'set', 'eth0', state]);
  }

  /** Drops packets without a word; what a host tells itself goes by another interface. */
  async cut(host: number, directions: ('outgoing' | 'incoming')[]): Promise<void> {
    const rules = directions.map(direction =>
      direction === 'outgoing' ? '-A OUTPUT -o eth0 -j DROP' : '-A INPUT -i eth0 -j DROP',
    );
    await this.#restore(host, rules);
  }

  async heal(host: number): Promise<void> {
    await this.#restore(host, ['-F OUTPUT', '-F INPUT']);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#remove();
  }

  async #build(): Promise<void> {
    for (const name of [HUB, ...HOSTS.map(namespaceOf)]) {
      await this.#ip(['netns', 'add', name]);
      const script = 'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6 2>/dev/null; :';
      await this.#run([this.#programs.nsenter, `--net=${DIRECTORY}/${name}`, '/bin/sh', '-c', script]);
    }
    await this.#batch(HUB, [
      'link add name switch type bridge',
      'link set switch up',
      ...HOSTS.flatMap(n => [
        `link add name host${n} type veth peer name eth0 netns ${namespaceOf(n)}`,
        `link set host${n} master switch up`,
      ]),
    ]);
    await this.#ip(['link', 'add', 'name', LINK, 'type', 'veth', 'peer', 'name', 'outside', 'netns', HUB]);
    await this.#batch(HUB, ['link set outside master switch up']);
    await this.#ip(['address', 'add', `${OUTSIDE}/${PREFIX}`, 'dev', LINK]);
    await this.#ip(['link', 'set', LINK, 'up']);
    for (const n of HOSTS) {
      await this.#batch(namespaceOf(n), [
        'link set lo up',
        `address add ${addressOf(n)}/${PREFIX} dev eth0`,
        'link set eth0 up',
      ]);
    }
  }

  async #remove(): Promise<void> {
    await this.#ip(['link', 'delete', LINK], [0, 1, 2]);
    for (const name of this.#present()) await this.#ip(['netns', 'delete', name], [0, 1, 2]);
  }

  #present(): string[] {
    const ours = [HUB, ...HOSTS.map(namespaceOf)];
    try {
      return readdirSync(DIRECTORY).filter(name => ours.includes(name));
    } catch {
      return [];
    }
  }

  async #restore(host: number, rules: string[]): Promise<void> {
    const argv = [`--net=${namespaceFile(host)}`, `${this.#programs.iptables}-restore`, '--noflush'];
    await this.#run([this.#programs.nsenter, ...argv], ['*filter', ...rules, 'COMMIT', ''].join('\n'));
  }

  async #batch(namespace: string, lines: string[]): Promise<void> {
    await this.#run([this.#programs.ip, '-n', namespace, '-batch', '-'], `${lines.join('\n')}\n`);
  }

  async #ip(args: string[], okCodes = [0]): Promise<string> {
    return await this.#run([this.#programs.ip, ...args], '', okCodes);
  }

  /** Not to be interrupted: half a network is worse than a moment's delay. */
  async #run(argv: [string, ...string[]], input = '', okCodes = [0]): Promise<string> {
    const signal = AbortSignal.timeout(COMMAND_MS);
    return (await run(argv, { signal, timeoutMs: COMMAND_MS, input, okCodes, detached: true })).stdout;
  }
}
