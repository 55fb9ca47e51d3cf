/** Running pgBackRest on this machine: as the servers' user, with the configuration of one repository. */
import { explain } from '../../../engine/pgbackrest/errors.ts';
import { type RunOptions, type RunResult, run } from '../../../lib/exec.ts';
import type { ClusterRecord } from '../record.ts';

export interface ToolRun {
  /** Command and options, without --config and --stanza. */
  args: string[];
  config: string;
  stanza: string;
  /** Begins the sentence of an error: "backup into nas". */
  what: string;
  signal: AbortSignal;
  timeoutMs: number;
  onOutput?: RunOptions['onOutput'];
  /** Bytes kept of the output, where it may be long. */
  maxOutputBytes?: number;
}

/** Rejects with a PgBackRestError that tells what its exit code means, or as `run` does. */
export async function runTool(record: ClusterRecord, options: ToolRun): Promise<RunResult> {
  const { args, config, stanza, what, signal, timeoutMs, onOutput, maxOutputBytes } = options;
  const [command = '', ...rest] = args;
  const argv: [string, ...string[]] = [
    record.programs.pgbackrest,
    `--config=${config}`,
    `--stanza=${stanza}`,
    ...rest.filter(arg => arg.startsWith('--')),
    command,
    ...rest.filter(arg => !arg.startsWith('--')),
  ];
  try {
    return await run(argv, {
      signal,
      timeoutMs,
      ...asServersUser(record),
      env: toolEnvironment(),
      // A Ctrl-C in the terminal reaches us, and we end it in order.
      detached: true,
      killGraceMs: 20_000,
      ...(onOutput === undefined ? {} : { onOutput }),
      ...(maxOutputBytes === undefined ? {} : { maxOutputBytes }),
    });
  } catch (error) {
    throw explain(what, error);
  }
}

/** Nothing of the caller's: an environment variable would count as an option. */
export function toolEnvironment(): Record<string, string> {
  return { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C.UTF-8', HOME: '/' };
}

/** Only root may be somebody else. */
export function asServersUser({ serviceUser }: ClusterRecord): { uid?: number; gid?: number } {
  return process.getuid?.() === 0 ? { uid: serviceUser.uid, gid: serviceUser.gid } : {};
}
