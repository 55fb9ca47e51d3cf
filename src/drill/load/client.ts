/** One client of the ledger: writes or reads on its path at its pace, whatever happens, and records each outcome. */
import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { chainHash } from '../../core/drill/chain.ts';
import type { Outcome, ReadRecord } from '../../core/drill/history.ts';
import type { Ended, Sent } from '../../core/drill/historyFile.ts';
import { classifyError } from '../../core/drill/outcome.ts';
import { codeOf } from '../../lib/errors.ts';
import { READ, WRITE } from './ledgerTable.ts';
import type { LoadPath } from './paths.ts';

/** Where clients record what they do. */
export interface Recorder {
  /** Tells this run's rows from those of others. */
  readonly run: string;
  now(): number;
  sent(write: Sent): void;
  ended(write: Ended): void;
  read(read: ReadRecord): void;
  /** Id of a row that was acknowledged lately; empty when there is none yet. */
  readonly lastAcknowledged: string;
}

/** As the user's own clients: connect within 2 s. */
const CONNECT_MS = 2_000;
/** A statement that takes longer is given up: its outcome is unknown, its connection is thrown away. */
const STATEMENT_MS = 20_000;
/** Before the next try to connect. */
const RETRY_MS = 50;

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Lets few in at a time. */
export class Gate {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(atATime: number) {
    this.#free = atATime;
  }

  async pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>(resolve => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}

/**
 * Runs until `stopped()`; never rejects. The first connection waits at the gate: if all clients logged in at once, each
 * would run into its own deadline on a busy machine, and again at the next try.
 * @param slot this client's number among those of its path.
 */
export async function runClient(
  path: LoadPath,
  slot: number,
  recorder: Recorder,
  gate: Gate,
  stopped: () => boolean,
): Promise<void> {
  const client = path.kind === 'write' ? new Writer(path, recorder) : new Reader(path, recorder);
  while (!stopped() && !(await gate.pass(() => client.enter()))) await delay(RETRY_MS);
  await delay((path.everyMs / path.clients) * slot);
  while (!stopped()) {
    const began = recorder.now();
    const ok = await client.operate();
    if (!ok || path.fresh) await client.disconnect();
    if (!ok) await delay(RETRY_MS);
    await delay(Math.max(0, path.everyMs - (recorder.now() - began)));
  }
  await client.disconnect();
}

abstract class LedgerClient {
  protected readonly path: LoadPath;
  protected readonly recorder: Recorder;
  #connection: pg.Client | undefined;
  /** The server said with the answer that it is worth less than it looks (SQLSTATE of a warning). */
  #warning: string | undefined;

  constructor(path: LoadPath, recorder: Recorder) {
    this.path = path;
    this.recorder = recorder;
  }

  /** One operation. Resolves with whether the connection can be used further. */
  abstract operate(): Promise<boolean>;

  /** The first connection. Resolves with whether there is one. */
  async enter(): Promise<boolean> {
    try {
      await this.connect();
      return true;
    } catch {
      return false;
    }
  }

  protected async connect(): Promise<pg.Client> {
    if (this.#connection !== undefined) return this.#connection;
    const { host, port, user, password, database, ca } = this.path.login;
    const client = new pg.Client({
      host,
      port,
      user,
      password,
      database,
      ssl: ca === undefined ? false : { ca },
      connectionTimeoutMillis: CONNECT_MS,
      query_timeout: STATEMENT_MS,
      application_name: 'pgherd-drill',
    });
    client.on('error', () => {
      if (this.#connection === client) this.#connection = undefined;
    });
    client.on('notice', notice => {
      if (notice.severity === 'WARNING') this.#warning = notice.code;
    });
    try {
      await client.connect();
    } catch (error) {
      void client.end().catch(() => {});
      throw error;
    }
    this.#connection = client;
    return client;
  }

  async disconnect(): Promise<void> {
    const client = this.#connection;
    this.#connection = undefined;
    // A server that stands still does not answer a farewell either.
    await Promise.race([client?.end().catch(() => {}), delay(200)]);
  }

  protected takeWarning(): string | undefined {
    const warning = this.#warning;
    this.#warning = undefined;
    return warning;
  }
}

class Writer extends LedgerClient {
  #chain = randomUUID();
  #sequence = 0;
  #previous = '';

  async operate(): Promise<boolean> {
    const id = randomUUID();
    const [chain, sequence, previous] = [this.#chain, this.#sequence, this.#previous];
    const hash = chainHash(previous, chain, sequence, id, sha256);
    const { recorder, path } = this;
    recorder.sent({ id, path: path.name, chain, sequence, previous, hash, sentAt: recorder.now() });
    let sent = false;
    try {
      const client = await this.connect();
      this.takeWarning();
      sent = true;
      const result = await client.query(WRITE, [recorder.run, id, chain, sequence, previous, hash]);
      const warning = this.takeWarning();
      const outcome: Outcome = warning === undefined ? 'acknowledged' : 'unknown';
      this.#end(id, outcome, warning, result.rows[0]);
      if (outcome === 'acknowledged') {
        this.#sequence += 1;
        this.#previous = hash;
        return true;
      }
    } catch (error) {
      const code = codeOf(error);
      this.#end(id, classifyError({ code, sent }), code, undefined);
    }
    this.#beginChain();
    return false;
  }

  #end(id: string, outcome: Outcome, code: string | undefined, row: Record<string, unknown> | undefined) {
    const { recorder, path } = this;
    recorder.ended({
      id,
      endedAt: recorder.now(),
      outcome,
      code,
      server: path.server ?? (typeof row?.server === 'string' ? row.server : undefined),
      timeline: typeof row?.timeline === 'number' ? row.timeline : undefined,
      lsn: typeof row?.lsn === 'string' ? BigInt(row.lsn) : undefined,
    });
  }

  /** What became of the last row is not known: a row after it could not be told from one after a hole. */
  #beginChain(): void {
    this.#chain = randomUUID();
    this.#sequence = 0;
    this.#previous = '';
  }
}

class Reader extends LedgerClient {
  async operate(): Promise<boolean> {
    const { recorder, path } = this;
    const sentAt = recorder.now();
    const end = (ok: boolean, code: string | undefined, server: string | undefined) =>
      recorder.read({ path: path.name, sentAt, endedAt: recorder.now(), ok, code, server });
    try {
      const client = await this.connect();
      const result = await client.query(READ, [recorder.lastAcknowledged]);
      const server: unknown = result.rows[0]?.server;
      end(true, undefined, path.server ?? (typeof server === 'string' ? server : undefined));
      return true;
    } catch (error) {
      end(false, codeOf(error), undefined);
      return false;
    }
  }
}
