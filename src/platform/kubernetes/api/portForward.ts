import type { Socket } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import type { KubeClient } from './client.ts';
import { pathOf } from './kinds.ts';

export interface ForwardTarget {
  namespace: string;
  pod: string;
  port: number;
}

/** Each message begins with the number of its stream; the first of each stream only repeats the port. */
const PROTOCOL = 'v4.channel.k8s.io';
const STREAM = { data: 0, error: 1 };
/** As much may be on its way to the API server before we read on from the client. */
const BUFFER_BYTES = 256 * 1024;

/**
 * Connects a client's socket with a port of a pod, by way of the API server and the pod's kubelet: a WebSocket for each
 * connection. Resolves once the server has taken it; from then on the end of either side ends the other. Rejects with
 * ApiError, ApiUnreachableError or the signal's reason. That nobody listens in the pod shows only as an end.
 */
export async function forward(
  client: KubeClient,
  target: ForwardTarget,
  local: Socket,
  signal: AbortSignal,
): Promise<void> {
  const remote = await open(client, target, signal);
  const greeted = new Set<number>();
  const end = () => {
    signal.removeEventListener('abort', end);
    remote.terminate();
    local.destroy();
  };
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted || local.destroyed) return end();
  remote.on('message', (message: RawData) => {
    const bytes = message as Buffer;
    const stream = bytes[0] ?? STREAM.error;
    if (!greeted.has(stream)) greeted.add(stream);
    else if (stream === STREAM.error) end();
    else if (!local.write(bytes.subarray(1))) remote.pause();
  });
  local.on('drain', () => remote.resume());
  local.on('data', data => {
    remote.send(Buffer.concat([Buffer.of(STREAM.data), data]), () => {
      if (remote.bufferedAmount < BUFFER_BYTES) local.resume();
    });
    if (remote.bufferedAmount >= BUFFER_BYTES) local.pause();
  });
  remote.on('close', () => local.end());
  remote.on('error', end);
  local.on('close', end);
  local.on('error', end);
  local.resume();
}

/** Whether a forward can be opened at all: rejects as `forward` does. */
export async function tryForward(
  client: KubeClient,
  target: ForwardTarget,
  signal: AbortSignal,
): Promise<void> {
  (await open(client, target, signal)).terminate();
}

async function open(
  client: KubeClient,
  { namespace, pod, port }: ForwardTarget,
  signal: AbortSignal,
): Promise<WebSocket> {
  client.beforeWrite();
  const path = `${pathOf('Pod', namespace, pod)}/portforward?ports=${port}`;
  const asked = { verb: 'create', resource: 'pods/portforward', namespace, name: pod };
  return client.connection.socket(path, PROTOCOL, asked, signal);
}
