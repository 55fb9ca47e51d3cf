/** Running pgBackRest in a pod, with the configuration of one repository. */
import { explain } from '../../../engine/pgbackrest/errors.ts';
import { CommandError } from '../../../lib/exec.ts';
import { withDeadline } from '../../../lib/time.ts';
import type { KubeClient } from '../api/client.ts';
import { type ExecResult, type ExecTarget, start } from '../api/exec.ts';
import { PGBACKREST } from '../objects/layout.ts';
import { MEMBER_CONTAINER } from '../objects/names.ts';
import type { KubeBackupInput } from './input.ts';

export interface ToolRun {
  /** Command and options, without --config and --stanza. */
  args: string[];
  pod: string;
  config: string;
  /** Begins the sentence of an error: "backup into nas". */
  what: string;
  timeoutMs: number;
  signal: AbortSignal;
  /** Told all of the output so far. */
  onStdout?: (text: string) => void;
}

/**
 * Ends the program when standard input ends: when whoever started it is gone. What it prints goes its way; only the
 * watcher lets go of the output, which would be kept open otherwise.
 */
const WHILE_WATCHED = [
  'exec 3<&0',
  '"$@" </dev/null & program=$!',
  '{ cat <&3; kill -TERM "$program"; } >/dev/null 2>&1 & watcher=$!',
  'exec 3<&-',
  'wait "$program"; code=$?',
  'kill "$watcher" 2>/dev/null',
  'exit "$code"',
].join('\n');

/** Nothing of the pod's own: an environment variable would count as an option. */
const ENVIRONMENT = ['env', '-i', 'PATH=/usr/local/bin:/usr/bin:/bin', 'LC_ALL=C.UTF-8', 'HOME=/'];

/** Rejects with a PgBackRestError that tells what its exit code means, or as `exec` does. */
export async function runTool(
  { client, ref, spec }: KubeBackupInput,
  { args, pod, config, what, timeoutMs, signal, onStdout }: ToolRun,
): Promise<ExecResult> {
  const [command = '', ...rest] = args;
  const argv = [
    ...ENVIRONMENT,
    ...['nice', '-n', '10', PGBACKREST, `--config=${config}`, `--stanza=${spec.name}`],
    ...rest.filter(arg => arg.startsWith('--')),
    command,
    ...rest.filter(arg => !arg.startsWith('--')),
  ];
  const target = { namespace: ref.namespace, pod, container: MEMBER_CONTAINER };
  const result = await runWatched(client, target, argv, { timeoutMs, signal, what, onStdout });
  if (result.code === 0) return result;
  const facts = { reason: 'exit', command: 'pgbackrest', exitCode: result.code } as const;
  const { stdout, stderr } = result;
  throw explain(
    what,
    new CommandError({ ...facts, stdout, stderr, message: `pgbackrest ended with ${result.code}` }),
  );
}

/** Runs a program in a container that ends when we do. Exit codes are results. */
export async function runWatched(
  client: KubeClient,
  target: ExecTarget,
  argv: readonly string[],
  options: {
    timeoutMs: number;
    signal: AbortSignal;
    what: string;
    onStdout?: ((text: string) => void) | undefined;
  },
): Promise<ExecResult> {
  using signal = withDeadline(options.signal, options.what, options.timeoutMs);
  await using process = await start(client, target, ['sh', '-c', WHILE_WATCHED, 'sh', ...argv], signal);
  if (options.onStdout !== undefined) process.onStdout(options.onStdout);
  return await process.ended;
}
