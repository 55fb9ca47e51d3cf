import { connect } from 'node:net';
import { codeOf } from './errors.ts';

/** [D] Two attempts must fit between the first silence and the end of patience. */
export const REACH_MS = 150;

/** A connection was taken or refused within REACH_MS: both are answers. Never rejects. */
export function answersTo(host: string, port: number, localAddress?: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host, port, ...(localAddress !== undefined && { localAddress }) });
    const end = (reached: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(reached);
    };
    // Timers come before sockets: whoever was late himself may find the answer waiting.
    const timer = setTimeout(() => setImmediate(() => end(false)), REACH_MS);
    socket.once('connect', () => end(true));
    socket.once('error', error => end(codeOf(error) === 'ECONNREFUSED'));
  });
}
