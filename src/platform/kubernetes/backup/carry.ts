/** What a program in one pod writes, read by a program in another: through us, since no pod may run things in others. */
import { withDeadline } from '../../../lib/time.ts';
import type { KubeClient } from '../api/client.ts';
import { attach, type ExecTarget } from '../api/exec.ts';

export interface PodProgram {
  target: ExecTarget;
  argv: readonly string[];
}

/** Which of the two ended badly, with what it said. */
export interface CarryFailure {
  side: 'from' | 'into';
  code: number;
  stderr: string;
}

const LIMIT_MS = 24 * 3_600_000;
/** So much makes a piece: each costs the reader a process. */
const PIECE_BYTES = 1024 * 1024;
/** Beyond it the writer waits. */
const UNSENT_BYTES = 8 * PIECE_BYTES;
const STDERR_KEPT = 4096;

/**
 * Feeds the program from pieces, each behind a line with its length, until one of 0: the API server has no word for the
 * end of a container's input. When our connection ends, before or after that, so does the program.
 */
const FED = [
  'exec 3<&0',
  'pipe=$(mktemp -u /tmp/pgherd-carry-XXXXXX)',
  'mkfifo -m 600 "$pipe"',
  '"$@" <"$pipe" 3<&- & program=$!',
  '{',
  '  while read -r length && [ "$length" -gt 0 ]; do head -c "$length" || break; done <&3 >"$pipe"',
  '  cat <&3; kill -TERM "$program"',
  '} >/dev/null 2>&1 & feeder=$!',
  'exec 3<&-',
  'wait "$program"; code=$?',
  'kill "$feeder" 2>/dev/null',
  'rm -f "$pipe"',
  'exit "$code"',
].join('\n');

/**
 * Resolves once both have ended well, or with the first that did not: the other one is ended then, and has not had all
 * of the data. Rejects when a connection breaks off. `onBytes` is told how much was carried.
 */
export async function carry(
  client: KubeClient,
  from: PodProgram,
  into: PodProgram,
  options: { signal: AbortSignal; onBytes?: (total: number) => void },
): Promise<CarryFailure | undefined> {
  using signal = withDeadline(options.signal, `carrying data into ${into.target.pod}`, LIMIT_MS);
  const said = { from: '', into: '' };
  const hear = (side: keyof typeof said, data: Buffer) => {
    said[side] = (said[side] + data.toString('utf8')).slice(-STDERR_KEPT);
  };
  const fed = ['sh', '-c', FED, 'sh', ...into.argv];
  await using reader = await attach(
    client,
    into.target,
    fed,
    { withInput: true, onOutput: (data, stream) => stream === 'stderr' && hear('into', data) },
    signal,
  );
  let total = 0;
  let piece: Buffer[] = [];
  let size = 0;
  const flush = () => {
    if (size === 0) return;
    reader.send(Buffer.from(`${size}\n`));
    const sent = () => reader.unsent < UNSENT_BYTES && writer?.hold(false);
    reader.send(Buffer.concat(piece), sent);
    if (reader.unsent >= UNSENT_BYTES) writer?.hold(true);
    total += size;
    piece = [];
    size = 0;
    options.onBytes?.(total);
  };
  const onOutput = (data: Buffer, stream: 'stdout' | 'stderr') => {
    if (stream === 'stderr') return hear('from', data);
    piece.push(data);
    size += data.length;
    if (size >= PIECE_BYTES) flush();
  };
  let writer: Awaited<ReturnType<typeof attach>> | undefined;
  await using attached = await attach(client, from.target, from.argv, { withInput: false, onOutput }, signal);
  writer = attached;
  const failed = (side: keyof typeof said) => (code: number) =>
    code === 0 ? undefined : { side, code, stderr: said[side].trim() };
  const wrote = writer.ended.then(failed('from'));
  const read = reader.ended.then(failed('into'));
  const early = await Promise.race([wrote, read]);
  const failure = early ?? (await wrote);
  if (failure !== undefined) return failure;
  flush();
  reader.send(Buffer.from('0\n'));
  return await read;
}
