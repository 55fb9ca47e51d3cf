/** An idle session on the primary, from outside, asked anew for each look: its silence is the first sign of trouble. */
import pg from 'pg';

export interface LinkTarget {
  host: string;
  port: number;
  user: string;
  password: string;
  /** undefined: the certificate is not one of ours; SCRAM proves the server then. */
  ca: string | undefined;
  /** The name in the server's certificate, where that is not `host`. */
  tlsName?: string;
}

export type LinkState =
  | { state: 'answered'; takesWrites: boolean }
  | { state: 'silent' }
  | { state: 'closed' };

const CONNECT_MS = 1_000;
/** Between two tries to open it again. */
const REOPEN_MS = 200;

export class Link implements Disposable {
  readonly #target: LinkTarget;
  readonly #onClosed: () => void;
  #client: pg.Client | undefined;
  #opening = false;
  #closed = false;
  #lastTry = 0;
  #pending = false;
  #answer: boolean | undefined;
  #disposed = false;

  /** @param onClosed called at once when the server's end closes an open session: nobody need wait for the next look. */
  constructor(target: LinkTarget, onClosed: () => void) {
    this.#target = target;
    this.#onClosed = onClosed;
  }

  /** What came since the last call, and the next question. undefined: it was not open yet. */
  look(now: number): LinkState | undefined {
    if (this.#client === undefined) {
      if (!this.#opening && now - this.#lastTry >= REOPEN_MS) void this.#open(now);
      return this.#closed ? { state: 'closed' } : undefined;
    }
    const answer = this.#answer;
    this.#answer = undefined;
    if (!this.#pending) this.#ask(this.#client);
    if (answer !== undefined) return { state: 'answered', takesWrites: answer };
    return { state: 'silent' };
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    void this.#client?.end().catch(() => {});
    this.#client = undefined;
  }

  #ask(client: pg.Client): void {
    this.#pending = true;
    client.query('SELECT NOT pg_is_in_recovery() AS writable').then(
      ({ rows }) => {
        this.#pending = false;
        this.#answer = rows[0]?.writable === true;
      },
      () => this.#lose(client),
    );
  }

  async #open(now: number): Promise<void> {
    this.#opening = true;
    this.#lastTry = now;
    const client = linkClient(this.#target);
    client.on('error', () => this.#lose(client));
    client.on('end', () => this.#lose(client));
    try {
      await client.connect();
      if (this.#disposed) void client.end().catch(() => {});
      else {
        this.#client = client;
        this.#closed = false;
        this.#ask(client);
      }
    } catch {
      void client.end().catch(() => {});
    } finally {
      this.#opening = false;
    }
  }

  #lose(client: pg.Client): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    this.#pending = false;
    this.#answer = undefined;
    this.#closed = true;
    void client.end().catch(() => {});
    if (!this.#disposed) this.#onClosed();
  }
}

/** Not connected yet. `options`: words for the server's command line. */
export function linkClient({ ca, tlsName, ...login }: LinkTarget, options?: string): pg.Client {
  const { host, port, user, password } = login;
  return new pg.Client({
    host,
    port,
    user,
    password,
    database: 'postgres',
    ssl: {
      ...(ca === undefined ? { rejectUnauthorized: false } : { ca }),
      ...(tlsName !== undefined && { servername: tlsName }),
    },
    connectionTimeoutMillis: CONNECT_MS,
    application_name: 'pgherd-sentinel',
    ...(options !== undefined && { options }),
  });
}
