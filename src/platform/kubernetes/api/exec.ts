import { StringDecoder } from 'node:string_decoder';
import { z } from 'zod';
import { PgherdError } from '../../../lib/errors.ts';
import { withDeadline } from '../../../lib/time.ts';
import type { KubeClient } from './client.ts';
import { ApiUnreachableError } from './errors.ts';
import { pathOf } from './kinds.ts';
import { parsedJson } from './parsedJson.ts';

export interface ExecTarget {
  namespace: string;
  pod: string;
  container: string;
}

export interface ExecResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** The command could not be run in the container at all. */
export class ExecError extends PgherdError {}

/** A command in a container whose input and output are spoken to while it runs. */
export interface ExecProcess extends AsyncDisposable {
  write(text: string): void;
  /** Told all of the output so far, whenever there is more. */
  onStdout(listener: (text: string) => void): void;
  /** Settles when the command ends: with its result, or with ExecError, ApiUnreachableError, the signal's reason. */
  readonly ended: Promise<ExecResult>;
}

/** The server's subprotocol of exec: the first byte of each message is the number of its stream. */
const PROTOCOL = 'v4.channel.k8s.io';
const STREAM = { stdin: 0, stdout: 1, stderr: 2, status: 3 };
const STDERR_KEPT = 16_384;

/** Runs a command to its end. Exit codes are results. Secrets never belong into `command`. */
export async function exec(
  client: KubeClient,
  target: ExecTarget,
  command: readonly string[],
  options: { timeoutMs: number; signal: AbortSignal },
): Promise<ExecResult> {
  using signal = withDeadline(options.signal, `${command[0]} in ${target.pod}`, options.timeoutMs);
  await using process = await start(client, target, command, signal, false);
  return await process.ended;
}

/** Starts a command whose standard input is open. */
export async function start(
  client: KubeClient,
  target: ExecTarget,
  command: readonly string[],
  signal: AbortSignal,
  withInput = true,
): Promise<ExecProcess> {
  let stdout = '';
  let stderr = '';
  const letters = new StringDecoder('utf8');
  let listener: (text: string) => void = () => {};
  const onOutput = (data: Buffer, stream: 'stdout' | 'stderr') => {
    if (stream === 'stdout') {
      // A message may end in the middle of a letter.
      stdout += letters.write(data);
      listener(stdout);
    } else stderr = (stderr + data.toString('utf8')).slice(-STDERR_KEPT);
  };
  const process = await attach(client, target, command, { withInput, onOutput }, signal);
  const ended = process.ended.then(code => ({ code, stdout, stderr }));
  // Who only opens and closes a session never looks at it.
  ended.catch(() => {});
  return {
    write: text => process.send(Buffer.from(text, 'utf8')),
    onStdout: given => {
      listener = given;
    },
    ended,
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}

/** A command in a container, byte by byte. */
export interface AttachedProcess extends AsyncDisposable {
  /** `sent` is called once it is on its way. */
  send(data: Uint8Array, sent?: () => void): void;
  /** Bytes that are not on their way yet. */
  readonly unsent: number;
  /** Holds what the command writes back, or lets it come again. */
  hold(held: boolean): void;
  /** Settles when the command ends: with its exit code, or with ExecError, ApiUnreachableError, the signal's reason. */
  readonly ended: Promise<number>;
}

/** Starts a command; `onOutput` is told each piece of what it writes. */
export async function attach(
  client: KubeClient,
  target: ExecTarget,
  command: readonly string[],
  options: { withInput: boolean; onOutput(data: Buffer, stream: 'stdout' | 'stderr'): void },
  signal: AbortSignal,
): Promise<AttachedProcess> {
  client.beforeWrite();
  const { namespace, pod: name } = target;
  const query = new URLSearchParams([
    ...command.map((word): [string, string] => ['command', word]),
    ['container', target.container],
    ['stdin', String(options.withInput)],
    ['stdout', 'true'],
    ['stderr', 'true'],
    ['tty', 'false'],
  ]);
  const path = `${pathOf('Pod', namespace, name)}/exec?${query}`;
  const asked = { verb: 'create', resource: 'pods/exec', namespace, name };
  const socket = await client.connection.socket(path, PROTOCOL, asked, signal);
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  promise.catch(() => {});
  const place = `${namespace}/${name}`;
  socket.on('message', (data: Buffer) => {
    const rest = data.subarray(1);
    if (data[0] === STREAM.stdout) options.onOutput(rest, 'stdout');
    else if (data[0] === STREAM.stderr) options.onOutput(rest, 'stderr');
    else if (data[0] === STREAM.status) {
      const code = exitCodeOf(rest.toString('utf8'));
      if (typeof code === 'number') resolve(code);
      else {
        const message = `${command[0]} could not be run in ${place}`;
        reject(new ExecError({ code: 'exec-failed', message, detail: code.detail }));
      }
    }
  });
  const broken = (detail: string) =>
    reject(
      new ApiUnreachableError({
        code: 'exec-broken',
        message: `the connection to ${place} broke off`,
        detail,
      }),
    );
  socket.on('close', () => broken('it was closed'));
  socket.on('error', error => broken(error.message));
  const abort = () => {
    reject(signal.reason);
    socket.terminate();
  };
  signal.addEventListener('abort', abort, { once: true });
  socket.resume();
  return {
    send: (data, sent) => socket.send(Buffer.concat([Buffer.of(STREAM.stdin), data]), () => sent?.()),
    get unsent() {
      return socket.bufferedAmount;
    },
    hold: held => (held ? socket.pause() : socket.resume()),
    ended: promise,
    async [Symbol.asyncDispose]() {
      signal.removeEventListener('abort', abort);
      socket.close();
    },
  };
}

const execStatus = z.object({
  status: z.string().optional(),
  message: z.string().optional(),
  details: z
    .object({
      causes: z.array(z.object({ reason: z.string().optional(), message: z.string().optional() })).optional(),
    })
    .optional(),
});

/** What the last message of an exec says: the exit code, or why there is none. */
export function exitCodeOf(text: string): number | { detail: string } {
  const status = execStatus.safeParse(parsedJson(text)).data;
  if (status?.status === 'Success') return 0;
  const cause = status?.details?.causes?.find(item => item.reason === 'ExitCode');
  const [code] = /^\d+$/.exec(cause?.message ?? '') ?? [];
  return code === undefined ? { detail: status?.message ?? text } : Number(code);
}
