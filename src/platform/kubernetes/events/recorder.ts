import { randomBytes } from 'node:crypto';
import { messageOf } from '../../../lib/errors.ts';
import type { KubeClient } from '../api/client.ts';
import type { LiveObject, SentObject } from '../api/kinds.ts';

export interface EventFacts {
  type: 'Normal' | 'Warning';
  /** CamelCase, one or two words. */
  reason: string;
  message: string;
}

/** The same is not said twice within this time. */
const QUIET_MS = 10 * 60_000;
const MESSAGE_CHARS = 1000;

/** An Event on a cluster, of now. */
export function eventOf(cluster: LiveObject, { type, reason, message }: EventFacts): SentObject {
  const { name, namespace = 'default', uid, resourceVersion } = cluster.metadata;
  const time = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name}.${randomBytes(8).toString('hex')}`, namespace },
    involvedObject: {
      apiVersion: cluster.apiVersion,
      kind: cluster.kind,
      name,
      namespace,
      uid,
      resourceVersion,
    },
    type,
    reason,
    message,
    source: { component: 'pgherd' },
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
  };
}

/** Writes Events on clusters, so that `kubectl describe` tells what was done and why. Never rejects. */
export class Recorder {
  readonly #client: KubeClient;
  readonly #onTrouble: (text: string) => void;
  readonly #said = new Map<string, number>();

  constructor(client: KubeClient, onTrouble: (text: string) => void) {
    this.#client = client;
    this.#onTrouble = onTrouble;
  }

  async record(cluster: LiveObject, facts: EventFacts, signal: AbortSignal): Promise<void> {
    const { name, namespace = 'default', uid } = cluster.metadata;
    const message = facts.message.slice(0, MESSAGE_CHARS);
    const key = `${uid} ${facts.reason} ${message}`;
    const now = performance.now();
    for (const [old, at] of this.#said) if (now - at > QUIET_MS) this.#said.delete(old);
    if (this.#said.has(key)) return;
    this.#said.set(key, now);
    try {
      await this.#client.create(eventOf(cluster, { ...facts, message }), signal);
    } catch (error) {
      if (!signal.aborted) this.#onTrouble(`event on ${namespace}/${name} not written: ${messageOf(error)}`);
    }
  }
}
