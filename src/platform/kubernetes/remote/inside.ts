import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withDeadline } from '../../../lib/time.ts';
import type { InsideTarget } from '../../contract.ts';
import type { KubeClient } from '../api/client.ts';
import type { ExecTarget } from '../api/exec.ts';
import { SOCKET_DIRECTORY } from '../objects/layout.ts';
import { POSTGRES_PORT } from '../objects/names.ts';
import { Relay } from './relay.ts';

const OPEN_MS = 5_000;
const SOCKET = `${SOCKET_DIRECTORY}/.s.PGSQL.${POSTGRES_PORT}`;
/** After a relay could not be opened: a pod that is gone is not asked for with every connection. */
const PAUSE_MS = 500;

interface Entrance {
  directory: string;
  server: Server;
  target: ExecTarget;
  relay: Promise<Relay> | undefined;
  failedAt: number;
}

/**
 * Sockets of this machine that lead to the Unix sockets of PostgreSQL inside the members' pods, past the pod network.
 * There the operating system vouches for who connects, so no password is needed. Only this user may enter.
 */
export class Inside implements Disposable {
  readonly #client: KubeClient;
  readonly #entrances = new Map<string, Promise<Entrance>>();
  readonly #servers: Server[] = [];
  readonly #end = new AbortController();
  #root: string | undefined;

  constructor(client: KubeClient) {
    this.#client = client;
  }

  async target(container: ExecTarget): Promise<InsideTarget> {
    const made = this.#entrances.get(container.pod) ?? this.#make(container);
    this.#entrances.set(container.pod, made);
    return { socketDirectory: (await made).directory, port: POSTGRES_PORT, user: 'postgres' };
  }

  [Symbol.dispose](): void {
    this.#end.abort(new Error('the cluster was closed'));
    for (const server of this.#servers) server.close();
    if (this.#root !== undefined) rmSync(this.#root, { recursive: true, force: true });
  }

  async #make(target: ExecTarget): Promise<Entrance> {
    this.#root ??= mkdtempSync(join(tmpdir(), 'pgherd-'));
    // A short name: paths of sockets must not be long.
    const directory = join(this.#root, String(this.#entrances.size));
    mkdirSync(directory, { mode: 0o700 });
    const server = createServer({ pauseOnConnect: true }, local => {
      local.on('error', () => {});
      this.#connect(entrance, local).catch(() => local.destroy());
    });
    const entrance: Entrance = { directory, server, target, relay: undefined, failedAt: -PAUSE_MS };
    this.#servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(join(directory, `.s.PGSQL.${POSTGRES_PORT}`), resolve);
    });
    return entrance;
  }

  async #connect(entrance: Entrance, local: Socket): Promise<void> {
    if (performance.now() - entrance.failedAt < PAUSE_MS)
      throw new Error('a moment ago it could not be opened');
    entrance.relay ??= this.#open(entrance);
    (await entrance.relay).connect(local, SOCKET);
  }

  async #open(entrance: Entrance): Promise<Relay> {
    try {
      using opening = withDeadline(this.#end.signal, `a way into ${entrance.target.pod}`, OPEN_MS);
      const over = () => {
        entrance.relay = undefined;
      };
      return await Relay.open(this.#client, entrance.target, { opening, lasting: this.#end.signal, over });
    } catch (error) {
      entrance.relay = undefined;
      entrance.failedAt = performance.now();
      throw error;
    }
  }
}
