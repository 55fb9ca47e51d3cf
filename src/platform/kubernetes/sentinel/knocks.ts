/**
 * What clients do, over the pod network and all the time: a login, and a commit that waits for no standby. That they take
 * long accuses nobody, for the network may be to blame: it is the reason to ask the member's own host.
 */
import pg from 'pg';
import { connected } from '../../../engine/postgres/connected.ts';
import { type LinkTarget, linkClient } from '../../../engine/postgres/link.ts';
import { Repeated } from '../../../lib/repeated.ts';

/** A healthy server takes milliseconds. */
const OVERDUE_MS = 500;
/** Of a commit: a connection that the network has lost would never end. */
const COMMIT_MS = 10_000;
/** Commits come half as often as logins: each is WAL. */
const COMMIT_PACE = 2;

export class Knocks implements Disposable {
  readonly #target: LinkTarget;
  readonly #login: Repeated<boolean>;
  readonly #commit: Repeated<boolean>;
  #session: pg.Client | undefined;

  constructor(target: LinkTarget, everyMs: number, now: () => number) {
    this.#target = target;
    this.#login = new Repeated(everyMs, now, () => this.#logIn());
    this.#commit = new Repeated(everyMs * COMMIT_PACE, now, signal => this.#write(signal));
  }

  pace(everyMs: number): void {
    this.#login.pace(everyMs);
    this.#commit.pace(everyMs * COMMIT_PACE);
  }

  /** Something did not end as it should. */
  get amiss(): boolean {
    return [this.#login, this.#commit].some(
      knock => knock.isOverdue(OVERDUE_MS) || knock.last?.value === false,
    );
  }

  /** When the last newcomer was let in, or refused. */
  get letInAt(): number | undefined {
    return this.#login.last?.value === true ? this.#login.last.endedAt : undefined;
  }

  /** When the last commit ended, be it with an error. */
  get wroteAt(): number | undefined {
    return this.#commit.last?.value === true ? this.#commit.last.endedAt : undefined;
  }

  [Symbol.dispose](): void {
    this.#login[Symbol.dispose]();
    this.#commit[Symbol.dispose]();
    this.#drop();
  }

  async #logIn(): Promise<boolean> {
    const client = linkClient(this.#target);
    client.on('error', () => {});
    try {
      await client.connect();
      return true;
    } catch (error) {
      return error instanceof pg.DatabaseError;
    } finally {
      void client.end().catch(() => {});
    }
  }

  /** Whether the server said how it ended. What is committed is a message in the WAL that no table holds. */
  async #write(signal: AbortSignal): Promise<boolean> {
    const timer = setTimeout(() => this.#drop(), COMMIT_MS);
    try {
      this.#session ??= await this.#open();
      await this.#session.query("SELECT pg_logical_emit_message(true, 'pgherd', 'canary')");
      return true;
    } catch (error) {
      if (error instanceof pg.DatabaseError) return true;
      this.#drop();
      return false;
    } finally {
      clearTimeout(timer);
      if (signal.aborted) this.#drop();
    }
  }

  async #open(): Promise<pg.Client> {
    return await connected(linkClient(this.#target, '-c synchronous_commit=local'));
  }

  #drop(): void {
    const session = this.#session;
    this.#session = undefined;
    void session?.end().catch(() => {});
  }
}
