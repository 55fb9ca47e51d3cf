import { createInterface } from 'node:readline/promises';
import type { Session } from './session.ts';

/** Asks on stderr, so that a redirected stdout stays clean. An end of input is an empty answer. */
export async function ask(question: string, session: Session): Promise<string> {
  const { signal, surroundings, output } = session;
  output.rawError(question);
  const lines = createInterface({ input: surroundings.stdin });
  const stop = (): void => lines.close();
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const line of lines) return line;
    signal.throwIfAborted();
    output.note('');
    return '';
  } finally {
    signal.removeEventListener('abort', stop);
    lines.close();
  }
}
