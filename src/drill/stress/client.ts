import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { codeOf, messageOf } from '../../lib/errors.ts';
import { monotonic } from './clock.ts';
import type { Gate } from './gate.ts';
import { CONNECT_TIMEOUT_MS, type Load, READ, RECONNECT_PAUSE_MS, writeOf } from './load.ts';
import { firstTurn, nextTurn } from './pace.ts';
import { Statement } from './statement.ts';
import type { Recorder } from './window.ts';

/** What the clients of one thread have in common. */
export interface Crew {
  readonly load: Load;
  readonly config: pg.ClientConfig;
  readonly gate: Gate;
  readonly recorder: Recorder;
  /** Resolves when the load begins, with the moment (monotonic). */
  readonly begun: Promise<number>;
  /** Milliseconds since the load began, negative before. */
  since(): number;
  /** The load is over: whatever is under way counts no more. */
  readonly over: boolean;
}

/** One reader (or writer): connects, acts at its pace, and connects again half a second after whatever fails. */
export class LoadClient {
  /** It has ended an attempt to connect. */
  tried = false;
  /** When the statement was sent that has no answer yet, monotonic; undefined: there is none. */
  waitingSince: number | undefined;
  readonly #number: number;
  readonly #crew: Crew;
  readonly #read: Statement;
  readonly #write: Statement;
  #client: pg.Client | undefined;

  constructor(number: number, crew: Crew) {
    this.#number = number;
    this.#crew = crew;
    this.#read = new Statement(crew.load.script ?? READ, 'read');
    this.#write = new Statement(writeOf(number), 'write');
  }

  get connected(): boolean {
    return this.#client !== undefined;
  }

  /** Runs until the load is over; never rejects. */
  async run(): Promise<void> {
    const { load } = this.#crew;
    let due: number | undefined;
    while (!this.#crew.over) {
      if (!this.connected && !load.connectEachTime) {
        if (!(await this.#connect())) await delay(RECONNECT_PAUSE_MS);
        continue;
      }
      due ??= (await this.#crew.begun) + firstTurn(pace(load), this.#number);
      const early = due - monotonic();
      if (early > 0) await delay(early);
      if (this.#crew.over) return;
      // Lost while it was idle.
      if (!this.connected && !load.connectEachTime) continue;
      const ok = await this.#turn();
      if (!ok) await delay(RECONNECT_PAUSE_MS);
      due = nextTurn(pace(load), due, monotonic());
    }
  }

  /** Ends the session in order; resolves when it has ended. */
  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => {});
  }

  /** Cuts a statement that has waited for too long. */
  giveUp(): void {
    const error = Object.assign(new Error('no answer to a statement'), { code: 'ETIMEDOUT' });
    this.#client?.connection.stream.destroy(error);
  }

  async #turn(): Promise<boolean> {
    if (!this.connected && !(await this.#connect())) return false;
    const client = this.#client;
    if (client === undefined) return false;
    const { load, recorder } = this.#crew;
    const statement = load.writeRatio > 0 && Math.random() < load.writeRatio ? this.#write : this.#read;
    const sent = monotonic();
    this.waitingSince = sent;
    try {
      const rows = await statement.run(client);
      if (!this.#crew.over) {
        recorder.acknowledged(this.#crew.since(), monotonic() - sent, statement.kind, rows);
      }
    } catch (error) {
      this.#drop(client);
      this.#failed(codeOf(error) ?? 'ECONNRESET', error);
      return false;
    } finally {
      this.waitingSince = undefined;
    }
    if (load.connectEachTime) void this.close();
    return true;
  }

  /** One attempt, with a time limit of its own that runs from its own start. Resolves with whether it worked. */
  async #connect(): Promise<boolean> {
    const { gate, config, recorder, load } = this.#crew;
    // Who asks for a new connection each time asks for the storm.
    const leave = load.connectEachTime ? () => {} : await gate.enter();
    const started = monotonic();
    if (this.#crew.over) {
      leave(0);
      return false;
    }
    const client = new pg.Client(config);
    client.on('error', error => this.#lost(client, error));
    client.on('end', () => this.#lost(client, undefined));
    try {
      await client.connect();
      this.#client = client;
      recorder.connected(monotonic() - started);
      return true;
    } catch (error) {
      client.connection.stream.destroy();
      // pg gives a timeout no code.
      const late = monotonic() - started >= CONNECT_TIMEOUT_MS - 5;
      this.#failed(codeOf(error) ?? (late ? 'ETIMEDOUT' : 'ECONNRESET'), error);
      return false;
    } finally {
      leave(monotonic() - started);
      this.tried = true;
    }
  }

  /** The server, or whoever is in between, ended a session that was idle. A statement under way reports itself. */
  #lost(client: pg.Client, error: Error | undefined): void {
    if (this.#client !== client || this.waitingSince !== undefined) return;
    this.#drop(client);
    this.#failed(codeOf(error) ?? 'ECONNRESET', error ?? new Error('the connection ended'));
  }

  #drop(client: pg.Client): void {
    if (this.#client === client) this.#client = undefined;
    client.connection.stream.destroy();
  }

  #failed(code: string, error: unknown): void {
    if (!this.#crew.over) this.#crew.recorder.failed(this.#crew.since(), code, messageOf(error));
  }
}

function pace({ intervalMs, clients }: Load): { intervalMs: number; clients: number } {
  return { intervalMs, clients };
}
