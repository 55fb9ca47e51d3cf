import { randomBytes } from 'node:crypto';
import { literal, type Rows, SqlError, type SqlSession } from '../../../engine/postgres/connection.ts';
import { withDeadline } from '../../../lib/time.ts';
import type { KubeClient } from '../api/client.ts';
import { type ExecProcess, type ExecTarget, start } from '../api/exec.ts';

const OPEN_MS = 15_000;
const QUERY_MS = 60_000;

/**
 * A session of the superuser over the Unix socket inside the pod, spoken through psql: it needs no password and no way
 * into the pod network, so it works from anywhere the API server can be reached, and also when the password in the
 * Secret is not the one in the database.
 */
export class PsqlSession implements SqlSession {
  readonly #process: ExecProcess;
  readonly #signal: AbortSignal;
  /** Behind each answer stands this word, which no answer holds. */
  readonly #mark = `pgherd-${randomBytes(12).toString('hex')}`;
  #read = 0;
  #listener: (output: string) => void = () => {};

  private constructor(process: ExecProcess, signal: AbortSignal) {
    this.#process = process;
    this.#signal = signal;
    process.onStdout(output => this.#listener(output));
  }

  static async open(
    client: KubeClient,
    target: ExecTarget,
    database: string,
    signal: AbortSignal,
  ): Promise<PsqlSession> {
    const command = ['psql', '-X', '-q', '-A', '-t', '-U', 'postgres', '-d', database, '-f', '-'];
    using connecting = withDeadline(signal, `psql in ${target.pod}`, OPEN_MS);
    const process = await start(client, target, command, signal);
    const session = new PsqlSession(process, signal);
    try {
      await session.#answer('SELECT 1', connecting);
    } catch (error) {
      await session[Symbol.asyncDispose]();
      throw error;
    }
    return session;
  }

  async query(text: string, values: unknown[] = []): Promise<Rows> {
    // Dollars stand in verifiers too: only where values are given are they places.
    const statement =
      values.length === 0
        ? text
        : text.replaceAll(/\$(\d+)/g, (_, n: string) => literal(String(values[Number(n) - 1])));
    using deadline = withDeadline(this.#signal, 'a statement', QUERY_MS);
    if (!/^\s*SELECT\b/i.test(statement)) {
      await this.#answer(statement, deadline);
      return [];
    }
    const answer = await this.#answer(
      `SELECT coalesce(json_agg(row_to_json(answer)), '[]') FROM (${statement}) answer`,
      deadline,
    );
    return JSON.parse(answer) as Rows;
  }

  /** Sends one statement and waits for what psql prints until our mark. */
  async #answer(statement: string, signal: AbortSignal): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const look = (output: string) => {
      const end = output.indexOf(`${this.#mark} `, this.#read);
      const line = end < 0 ? -1 : output.indexOf('\n', end);
      if (line < 0) return;
      const text = output.slice(this.#read, end).trim();
      const [, sqlstate = '', message = ''] = /^(\S+) ?(.*)$/.exec(
        output.slice(end + this.#mark.length + 1, line),
      ) ?? ['', ''];
      this.#read = line + 1;
      if (sqlstate === '00000') resolve(text);
      else
        reject(new SqlError(`PostgreSQL refused a statement: ${message} (${sqlstate})`, sqlstate, undefined));
    };
    this.#listener = look;
    const stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    void this.#process.ended.then(
      ({ stderr }) =>
        reject(new SqlError(`cannot connect to PostgreSQL: ${stderr.trim()}`, undefined, undefined)),
      reject,
    );
    this.#process.write(`${statement}\n;\n\\echo ${this.#mark} :SQLSTATE :LAST_ERROR_MESSAGE\n`);
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.write('\\q\n');
    await this.#process[Symbol.asyncDispose]();
  }
}
