/**
 * Another member's host as a place to look from: a session with its PostgreSQL, which is asked to start a program there.
 * It takes neither the API server nor the kubelet, which may be what has failed, and a standby may do it.
 */
import pg from 'pg';
import { literal } from '../../../engine/postgres/connection.ts';
import { type LinkTarget, linkClient } from '../../../engine/postgres/link.ts';
import { REACH_MS } from '../../../lib/reach.ts';

const REOPEN_MS = 500;
/** A program has to be started, also on a busy machine. */
const ANSWER_MS = REACH_MS + 200;
/** External routine exception: the program ended with another code than 0. */
const PROGRAM_FAILED = '38000';
const LIMITED = `timeout -s KILL ${REACH_MS / 1000}`;

export class Outpost implements Disposable {
  readonly target: LinkTarget;
  #client: pg.Client | undefined;
  #opening = false;
  #triedAt = Number.NEGATIVE_INFINITY;
  #disposed = false;

  constructor(target: LinkTarget) {
    this.target = target;
    void this.#open();
  }

  /** Whether PostgreSQL at this address can be reached from there; undefined: who is there does not answer us. */
  reaches(host: string, port: number): Promise<boolean | undefined> {
    // 0: it accepts connections, 1: it rejects them for now. A refused connection is refused to us as well.
    return this.#succeeds(`${LIMITED} pg_isready -q -h ${host} -p ${port} -t 1; [ $? -le 1 ]`);
  }

  /** The same of whoever listens there: a pooler that is paused answers nobody. */
  connects(host: string, port: number): Promise<boolean | undefined> {
    return this.#succeeds(`${LIMITED} bash -c '</dev/tcp/${host}/${port}'`);
  }

  async #succeeds(command: string): Promise<boolean | undefined> {
    const client = this.#client;
    if (client === undefined) {
      void this.#open();
      return undefined;
    }
    const asked = client.query(`COPY (SELECT) TO PROGRAM ${literal(`exec 2>/dev/null; ${command}`)}`).then(
      () => true,
      error => (error instanceof pg.DatabaseError && error.code === PROGRAM_FAILED ? false : undefined),
    );
    const { promise: late, resolve } = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => resolve(undefined), ANSWER_MS);
    try {
      return await Promise.race([asked, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    void this.#client?.end().catch(() => {});
    this.#client = undefined;
  }

  async #open(): Promise<void> {
    const now = performance.now();
    if (this.#opening || this.#disposed || now - this.#triedAt < REOPEN_MS) return;
    this.#opening = true;
    this.#triedAt = now;
    // What cannot be reached is no error of this server's.
    const client = linkClient(this.target, '-c log_min_messages=fatal');
    const lose = () => {
      if (this.#client === client) this.#client = undefined;
    };
    client.on('error', lose);
    client.on('end', lose);
    try {
      await client.connect();
      if (this.#disposed) void client.end().catch(() => {});
      else this.#client = client;
    } catch {
      void client.end().catch(() => {});
    } finally {
      this.#opening = false;
    }
  }
}
