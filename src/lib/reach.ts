import { connect } from 'node:net';
import { codeOf } from './errors.ts';

/** [D] Two attempts must fit between the first silence and the end of patience. */
export const REACH_MS = 150;

/** A connection was taken or refused within REACH_MS: both are answers. Never rejects. */
export async function answersTo(host: string, port: number, localAddress?: string): Promise<boolean> {
  return (await attempt(host, port, localAddress)) !== 'silent';
}

/** A connection was taken within REACH_MS: somebody listens. Never rejects. */
export async function listensAt(host: string, port: number): Promise<boolean> {
  return (await attempt(host, port)) === 'taken';
}

function attempt(host: string, port: number, localAddress?: string): Promise<'taken' | 'refused' | 'silent'> {
  return new Promise(resolve => {
    const socket = connect({ host, port, ...(localAddress !== undefined && { localAddress }) });
    const end = (outcome: 'taken' | 'refused' | 'silent') => {
      clearTimeout(timer);
      socket.destroy();
      resolve(outcome);
    };
    // Timers come before sockets: whoever was late himself may find the answer waiting.
    const timer = setTimeout(() => setImmediate(() => end('silent')), REACH_MS);
    socket.once('connect', () => end('taken'));
    socket.once('error', error => end(codeOf(error) === 'ECONNREFUSED' ? 'refused' : 'silent'));
  });
}
