/** Whether a host answers, seen from outside or from another member's host. */
import { spawn } from 'node:child_process';
import { answersTo, REACH_MS } from '../../../lib/reach.ts';
import { memberAddress, networkNames } from '../layout.ts';
import { enter } from '../network.ts';
import type { ClusterRecord } from '../record.ts';

/**
 * Whether PostgreSQL of `suspect` can be reached from another member's host. Members without networks of their own
 * share this machine's: their word differs by address only. From inside an isolated host a refused connection counts
 * as not reached (pg_isready does not tell it from silence): what is refused there is refused outside as well.
 */
export async function reachedFrom(record: ClusterRecord, from: number, suspect: number): Promise<boolean> {
  const address = memberAddress(record, suspect);
  if (!record.isolated) return await answersTo(address, record.port, memberAddress(record, from));
  const isReady = `${record.postgres.binDir}/pg_isready`;
  const words = [isReady, '-q', '-h', address, '-p', String(record.port), '-t', '1'];
  const [program, ...args] = enter(record, networkNames(record).host(from), words);
  return await new Promise(resolve => {
    const child = spawn(program, args, { stdio: 'ignore' });
    const timer = setTimeout(() => child.kill('SIGKILL'), REACH_MS);
    const end = (reached: boolean) => {
      clearTimeout(timer);
      resolve(reached);
    };
    child.once('error', () => end(false));
    // 0: it accepts connections, 1: it rejects them for now.
    child.once('exit', code => end(code === 0 || code === 1));
  });
}
