/** HAProxy's runtime interface: what health checks would find out a second later. */
import { connect } from 'node:net';
import { PgherdError } from '../../lib/errors.ts';

const ANSWER_MS = 1_000;

/**
 * Tells the backend `primary` who takes writes now; sessions to all others are cut. The next checks confirm or correct
 * it. Rejects with PgherdError when HAProxy does not answer within a second or does not know a server.
 */
export async function leadProxy(
  socket: string,
  servers: readonly string[],
  primary: string,
  signal: AbortSignal,
): Promise<void> {
  const commands = servers.map(
    name => `set server primary/${name} health ${name === primary ? 'up' : 'down'}`,
  );
  const answer = await ask(
    socket,
    commands.join('; '),
    AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
  );
  if (answer.trim() === '') return;
  throw new PgherdError({
    code: 'proxy-refused',
    message: `the proxy does not follow to ${primary}: ${answer.trim()}`,
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
