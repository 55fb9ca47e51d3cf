import { createInterface } from 'node:readline';
import { messageOf } from '../../../lib/errors.ts';
import { type KubeClient, queryOf } from './client.ts';
import { bodyOf } from './connection.ts';
import { ApiUnreachableError, errorOf } from './errors.ts';
import type { ExecTarget } from './exec.ts';
import { pathOf } from './kinds.ts';

/** A line as the kubelet has it. */
export interface StampedLine {
  /** UTC with nanoseconds: strings that sort like moments. */
  stamp: string;
  text: string;
}

export interface LogQuery {
  /** Of the container that ran before this one. */
  previous?: boolean;
  /** Keep the connection, and tell what is added. */
  follow?: boolean;
  /** A stamp; the server knows whole seconds only, so earlier lines may come. */
  since?: string | undefined;
  tail?: number | undefined;
}

/** A stream this long without a byte may be dead; who follows opens another one. */
const SILENCE_MS = 120_000;

/**
 * Lines of a container, oldest first. Throws ApiNotFoundError where there is no such pod, ApiInvalidError where the
 * container has not begun or nothing is kept of the one before, ApiUnreachableError when the connection breaks.
 */
export async function* podLog(
  client: KubeClient,
  { namespace, pod, container }: ExecTarget,
  { previous, follow, since, tail }: LogQuery,
  signal: AbortSignal,
): AsyncGenerator<StampedLine> {
  const query = queryOf({
    container,
    timestamps: 'true',
    previous: previous === true ? 'true' : undefined,
    follow: follow === true ? 'true' : undefined,
    sinceTime: since,
    tailLines: tail === undefined ? undefined : String(tail),
  });
  const request = { verb: 'get', resource: 'pods/log', namespace, name: pod };
  const path = `${pathOf('Pod', namespace, pod)}/log${query}`;
  const response = await client.connection.send({ method: 'GET', path, lasting: true }, signal);
  const status = response.statusCode ?? 0;
  if (status !== 200) throw errorOf(request, status, await bodyOf(response));
  response.setTimeout(SILENCE_MS, () => response.destroy());
  try {
    for await (const line of createInterface({ input: response, crlfDelay: Number.POSITIVE_INFINITY })) {
      const stamped = stampedLine(line);
      if (stamped !== undefined) yield stamped;
    }
  } catch (cause) {
    signal.throwIfAborted();
    throw new ApiUnreachableError({
      code: 'kubernetes-log-broken',
      message: `the log of ${pod} broke off`,
      detail: messageOf(cause),
      cause,
    });
  } finally {
    response.destroy();
  }
  signal.throwIfAborted();
}

/** Nodes stamp in their own time zone. A line without a stamp is the kubelet's own complaint: undefined. */
export function stampedLine(line: string): StampedLine | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d) ?(.*)$/.exec(line);
  if (match === null) return undefined;
  const [, second, fraction = '', zone, text = ''] = match;
  const utc = new Date(`${second}${zone}`).toISOString().slice(0, 19);
  return { stamp: `${utc}.${fraction.padEnd(9, '0')}Z`, text };
}

/** A moment as a stamp. */
export function stampOf(moment: Date): string {
  return moment.toISOString().replace('Z', '000000Z');
}
