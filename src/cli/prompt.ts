import { createInterface } from 'node:readline/promises';
import { RefusedError } from '../lib/errors.ts';
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

export interface NameConfirmation {
  /** What has to be typed. */
  name: string;
  /** The name as an option gave it; undefined: ask. */
  given: string | undefined;
  question: string;
  /** Why nobody could confirm, where there is no terminal. */
  refusal: string;
  hint: string;
  /** What was spared: "nothing was deleted". */
  spared: string;
  /** Said before the question. */
  before?: (() => Promise<void>) | undefined;
}

/** Goes on only when the name was given or is typed. Rejects with RefusedError otherwise. */
export async function confirmName(session: Session, wish: NameConfirmation): Promise<void> {
  const { name, given, spared } = wish;
  if (given === undefined && (session.surroundings.stdin.isTTY !== true || !session.output.isErrorTerminal)) {
    throw new RefusedError({ code: 'not-confirmed', message: wish.refusal, hint: wish.hint });
  }
  await (given === undefined ? wish.before?.() : undefined);
  if (given === undefined) session.progress.end();
  const typed = given ?? (await ask(wish.question, session)).trim();
  if (typed === name) return;
  throw new RefusedError({
    code: 'not-confirmed',
    message: typed === '' ? `no name was given: ${spared}` : `"${typed}" is not ${name}: ${spared}`,
  });
}
