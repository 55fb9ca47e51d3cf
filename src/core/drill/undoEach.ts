import { messageOf, PgherdError } from '../../lib/errors.ts';

/**
 * Undoes registered faults one after the other; one that cannot be undone keeps no other one broken. Resolves with one
 * sentence for each act. Rejects, when all were tried, with what failed, `damaged` (what could not be read) included.
 */
export async function undoEach<Entry extends { description: string }>(
  entries: readonly Entry[],
  damaged: readonly PgherdError[],
  undo: (entry: Entry) => Promise<string[]>,
  signal: AbortSignal,
): Promise<string[]> {
  const done: string[] = [];
  const errors: PgherdError[] = [...damaged];
  for (const entry of entries) {
    try {
      done.push(...(await undo(entry)));
    } catch (error) {
      signal.throwIfAborted();
      errors.push(error instanceof PgherdError ? error : unforeseen(entry, error));
    }
  }
  if (errors.length > 0) throw several(errors, done);
  return done;
}

function unforeseen({ description }: { description: string }, cause: unknown): PgherdError {
  const message = `the fault is not undone (${description}): ${messageOf(cause)}`;
  return new PgherdError({ code: 'undo-failed', message, cause });
}

function several(errors: PgherdError[], done: string[]): PgherdError {
  const [first] = errors;
  if (errors.length === 1 && first !== undefined) return first;
  return new PgherdError({
    code: 'undo-failed',
    message: `${errors.length} registered faults are not undone`,
    detail: [...errors.flatMap(error => [error.message, error.detail ?? '']), ...done]
      .filter(Boolean)
      .join('\n'),
    hint: first?.hint,
    cause: new AggregateError(errors),
  });
}
