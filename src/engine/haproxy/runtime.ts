/** HAProxy's runtime interface: what health checks would find out a second later. */
import { connect } from 'node:net';
import { PgherdError } from '../../lib/errors.ts';

const ANSWER_MS = 1_000;

export interface ProxyTarget {
  socket: string;
  /** All servers of the backend `primary`. */
  servers: readonly string[];
}

/**
 * Lets no new session through to the primary; those that exist go on. Ends with `admit`, or with the proxy's next reload.
 * Rejects as `leadProxy` does.
 */
export async function turnAway(proxy: ProxyTarget, signal: AbortSignal): Promise<void> {
  await command(proxy, name => [`set server primary/${name} state drain`], signal);
}

/** Takes `turnAway` back. Rejects as `leadProxy` does. */
export async function admit(proxy: ProxyTarget, signal: AbortSignal): Promise<void> {
  await command(proxy, name => [`set server primary/${name} state ready`], signal);
}

/**
 * Tells the backend `primary` who takes writes now, and lets sessions through to it; sessions to all others are cut. The
 * next checks confirm or correct it. Rejects with PgherdError when HAProxy does not answer within a second or does not
 * know a server.
 */
export async function leadProxy(proxy: ProxyTarget, primary: string, signal: AbortSignal): Promise<void> {
  const health = (name: string) => (name === primary ? 'up' : 'down');
  const words = (name: string) => [
    `set server primary/${name} health ${health(name)}`,
    `set server primary/${name} state ready`,
  ];
  await command(proxy, words, signal);
}

async function command(
  { socket, servers }: ProxyTarget,
  wordsFor: (server: string) => string[],
  signal: AbortSignal,
): Promise<void> {
  const line = servers.flatMap(wordsFor).join('; ');
  const answer = await ask(socket, line, AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]));
  if (answer.trim() === '') return;
  throw new PgherdError({
    code: 'proxy-refused',
    message: `the proxy refuses "${line}": ${answer.trim()}`,
    hint: 'its own health checks correct it within seconds',
  });
}

/** One line of commands; resolves with all that HAProxy says until it closes. */
async function ask(socket: string, line: string, signal: AbortSignal): Promise<string> {
  const connection = connect({ path: socket });
  const abort = () => connection.destroy(new Error(`no answer at ${socket}`));
  signal.addEventListener('abort', abort, { once: true });
  try {
    connection.setEncoding('utf8');
    connection.end(`${line}\n`);
    let text = '';
    for await (const chunk of connection) text += chunk;
    return text;
  } finally {
    signal.removeEventListener('abort', abort);
    connection.destroy();
  }
}
