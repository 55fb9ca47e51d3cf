/** A command of ours that is killed in the middle. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { sleep } from '../../lib/time.ts';

/** Begins `pgherd WORDS` in a process of its own and kills it (SIGKILL) after so long. Resolves with what happened. */
export async function crash(
  launch: { node: string; main: string },
  words: readonly string[],
  afterMs: number,
  signal: AbortSignal,
): Promise<string> {
  const child = spawn(launch.node, [launch.main, ...words], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  try {
    await Promise.race([ended, sleep(afterMs, signal)]);
  } finally {
    child.kill('SIGKILL');
  }
  await ended;
  const [command] = words;
  return child.signalCode === 'SIGKILL'
    ? `SIGKILL to pgherd ${command} after ${afterMs} ms`
    : `pgherd ${command} had ended (exit code ${child.exitCode}) before it could be killed after ${afterMs} ms`;
}
