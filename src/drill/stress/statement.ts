import type pg from 'pg';

/** pg's own type has no members; this is the part of it that a statement needs. */
interface Wire {
  query(text: string): void;
  sendCopyFail(reason: string): void;
}

/**
 * A statement that counts its rows and throws them away: building objects nobody reads would make the generator
 * the bottleneck. Sent as a simple query, so that several statements are one transaction, and nothing is prepared
 * that a pooler would have to remember. May be run again when it has ended.
 */
export class Statement implements pg.Submittable {
  readonly text: string;
  readonly kind: 'read' | 'write';
  #rows = 0;
  #settle: ((error: Error | undefined) => void) | undefined;

  constructor(text: string, kind: 'read' | 'write') {
    this.text = text;
    this.kind = kind;
  }

  /** Resolves with the number of rows when the server is ready for the next statement. */
  async run(client: pg.Client): Promise<number> {
    this.#rows = 0;
    const ended = new Promise<Error | undefined>(resolve => {
      this.#settle = resolve;
    });
    client.query(this);
    const error = await ended;
    if (error !== undefined) throw error;
    return this.#rows;
  }

  submit(connection: pg.Connection): void {
    wire(connection).query(this.text);
  }

  handleDataRow(): void {
    this.#rows++;
  }

  handleError(error: Error): void {
    this.#end(error);
  }

  handleReadyForQuery(): void {
    this.#end(undefined);
  }

  handleCopyInResponse(connection: pg.Connection): void {
    wire(connection).sendCopyFail('a stress test has nothing to copy');
  }

  handleRowDescription(): void {}
  handleCommandComplete(): void {}
  handleEmptyQuery(): void {}
  handlePortalSuspended(): void {}
  handleParseComplete(): void {}
  handleCopyData(): void {}

  #end(error: Error | undefined): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(error);
  }
}

function wire(connection: pg.Connection): Wire {
  return connection as unknown as Wire;
}
