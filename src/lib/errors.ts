/** What a person needs to act on a failure. `hint` is the remedy, `detail` the facts behind `message`. */
export interface ErrorFacts {
  /** Stable, kebab-case, for tools: `port-taken`, `manifest-invalid`. */
  code: string;
  message: string;
  detail?: string | undefined;
  hint?: string | undefined;
  cause?: unknown;
}

/**
 * Base of every error pgherd raises on purpose. Rooms that know a cause derive a class from it;
 * anything else that reaches the CLI is a defect of ours and is shown as such.
 */
export class PgherdError extends Error {
  readonly code: string;
  readonly detail: string | undefined;
  readonly hint: string | undefined;

  constructor(facts: ErrorFacts) {
    super(facts.message, { cause: facts.cause });
    this.name = new.target.name;
    this.code = facts.code;
    this.detail = facts.detail;
    this.hint = facts.hint;
  }
}

/** The request was understood and declined: nothing was touched. The CLI exits 2. */
export class RefusedError extends PgherdError {}

/** An operation did not end before its deadline. */
export class DeadlineError extends PgherdError {
  constructor(what: string, milliseconds: number, facts: { detail?: string; hint?: string } = {}) {
    super({
      code: 'deadline-exceeded',
      message: `${what} did not finish within ${(milliseconds / 1000).toFixed(1)} s`,
      ...facts,
    });
  }
}

/** The text of whatever was thrown, for the inside of a larger sentence. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map(messageOf).join('; ');
  }
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a Node system error or a PgherdError, if there is one. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string') {
    return error.code;
  }
  return undefined;
}
