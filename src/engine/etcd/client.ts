import { z } from 'zod';
import { JsonClient, type TlsIdentity, UnreachableError } from '../../lib/http.ts';
import { ETCD_CLIENT_PORT, ETCD_PEER_PORT } from './config.ts';

const health = z.object({ health: z.union([z.literal('true'), z.literal('false'), z.boolean()]) });
const version = z.object({ etcdserver: z.string(), etcdcluster: z.string() });

/** Numbers of 64 bits are strings in etcd's JSON; a lease of 0 is left out. */
const range = z.object({
  kvs: z
    .array(
      z.object({
        key: z.string(),
        value: z.string(),
        mod_revision: z.string(),
        lease: z.string().optional(),
      }),
    )
    .default([]),
});
const timeToLive = z.object({ TTL: z.coerce.number(), grantedTTL: z.coerce.number().default(0) });
const status = z.object({ header: z.object({ member_id: z.string() }), leader: z.string().default('0') });
const transaction = z.object({ succeeded: z.boolean().default(false) });

export interface KeyValue {
  key: string;
  value: string;
  /** Of the last change of the value; a lease that is renewed changes nothing. */
  revision: string;
  lease: string | undefined;
}

/** One voter, asked over its client address. */
export class EtcdClient implements Disposable {
  readonly #http: JsonClient;
  readonly #peer: JsonClient;

  constructor(address: string, identity: TlsIdentity) {
    this.#http = new JsonClient(address, ETCD_CLIENT_PORT, identity);
    this.#peer = new JsonClient(address, ETCD_PEER_PORT, identity);
  }

  /** The voter answers and takes part in a quorum. Never rejects but for an abort. */
  async isHealthy(signal: AbortSignal, timeoutMs = 1000): Promise<boolean> {
    try {
      const response = await this.#http.request('GET', '/health', { timeoutMs, signal });
      return response.status === 200 && String(health.parse(JSON.parse(response.body)).health) === 'true';
    } catch {
      signal.throwIfAborted();
      return false;
    }
  }

  /**
   * The voter serves its peers, with or without a quorum. A voter that starts while another one already listens
   * but does not serve yet waits a second for it, and for each further one: so they are started one by one.
   */
  async servesPeers(signal: AbortSignal): Promise<boolean> {
    const response = await this.#peer.request('GET', '/version', { timeoutMs: 250, signal });
    return response.status === 200;
  }

  /**
   * The voters have agreed on a cluster version, and it is the servers' own: before that etcd says "not_decided",
   * with which Patroni 4.0 ends, or the oldest version possible, with which it speaks a protocol that is gone, for
   * ever. Rejects with UnreachableError when the voter does not answer.
   */
  async isReady(signal: AbortSignal): Promise<boolean> {
    const response = await this.#http.request('GET', '/version', { timeoutMs: 250, signal });
    if (response.status !== 200) return false;
    const { etcdserver, etcdcluster } = version.parse(JSON.parse(response.body));
    const minor = (text: string) => text.split('.').slice(0, 2).join('.');
    return minor(etcdcluster) === minor(etcdserver);
  }

  /**
   * All keys that begin with a prefix. Linearizable: a voter that is cut off from the others does not answer. Rejects
   * with UnreachableError when the voter does not answer, or has no quorum in time.
   */
  async readPrefix(prefix: string, signal: AbortSignal, timeoutMs = 1000): Promise<KeyValue[]> {
    const body = { key: base64(prefix), range_end: base64(endOf(prefix)) };
    const { kvs } = await this.#call('/v3/kv/range', body, range, timeoutMs, signal);
    return kvs.map(({ key, value, mod_revision: revision, lease }) => ({
      key: text(key),
      value: text(value),
      revision,
      lease,
    }));
  }

  /** Milliseconds that a lease has left and was granted, to whole seconds; undefined: there is no such lease. */
  async leaseOf(
    lease: string,
    signal: AbortSignal,
    timeoutMs = 1000,
  ): Promise<{ remainingMs: number; ttlMs: number } | undefined> {
    const { TTL, grantedTTL } = await this.#call(
      '/v3/lease/timetolive',
      { ID: lease },
      timeToLive,
      timeoutMs,
      signal,
    );
    return TTL < 0 ? undefined : { remainingMs: TTL * 1000, ttlMs: grantedTTL * 1000 };
  }

  /**
   * One transaction: if the key still has this revision, it is deleted, and `put` is written before. Resolves with
   * whether it was.
   */
  async compareAndDelete(
    key: string,
    revision: string,
    put: { key: string; value: string; lease: string | undefined } | undefined,
    signal: AbortSignal,
    timeoutMs = 1000,
  ): Promise<boolean> {
    const written = put && {
      requestPut: {
        key: base64(put.key),
        value: base64(put.value),
        ...(put.lease !== undefined && { lease: put.lease }),
      },
    };
    const body = {
      compare: [{ key: base64(key), target: 'MOD', result: 'EQUAL', modRevision: revision }],
      success: [...(written === undefined ? [] : [written]), { requestDeleteRange: { key: base64(key) } }],
    };
    return (await this.#call('/v3/kv/txn', body, transaction, timeoutMs, signal)).succeeded;
  }

  /** This voter's id, and the id of the leader as this voter sees it ('0': none). Rejects with UnreachableError. */
  async leadership(signal: AbortSignal): Promise<{ id: string; leader: string }> {
    const { header, leader } = await this.#call('/v3/maintenance/status', {}, status, 1000, signal);
    return { id: header.member_id, leader };
  }

  /** Of the leader only: makes another voter lead, without an election. Rejects with UnreachableError. */
  async moveLeadership(target: string, signal: AbortSignal): Promise<void> {
    const path = '/v3/maintenance/transfer-leadership';
    await this.#call(path, { targetID: target }, z.object({}), 1000, signal);
  }

  /** Writes one key. Rejects with UnreachableError when the voter does not answer, or has no quorum in time. */
  async put(key: string, value: string, signal: AbortSignal): Promise<void> {
    const body = { key: base64(key), value: base64(value) };
    await this.#call('/v3/kv/put', body, z.object({}), 5000, signal);
  }

  /** Deletes one key. Rejects with UnreachableError when the voter does not answer, or has no quorum in time. */
  async deleteKey(key: string, signal: AbortSignal): Promise<void> {
    await this.#call('/v3/kv/deleterange', { key: base64(key) }, z.object({}), 5000, signal);
  }

  [Symbol.dispose](): void {
    this.#http[Symbol.dispose]();
    this.#peer[Symbol.dispose]();
  }

  async #call<T>(
    path: string,
    body: unknown,
    schema: z.ZodType<T>,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<T> {
    const response = await this.#http.request('POST', path, { body, timeoutMs, signal });
    if (response.status === 200) return schema.parse(JSON.parse(response.body));
    throw new UnreachableError({
      code: 'etcd-failed',
      message: `etcd refused ${path} (HTTP ${response.status})`,
      detail: response.body.slice(0, 300),
    });
  }
}

function base64(value: string): string {
  return Buffer.from(value).toString('base64');
}

function text(value: string): string {
  return Buffer.from(value, 'base64').toString('utf8');
}

/** The first key behind all that begin with a prefix: the last character, and one more. */
function endOf(prefix: string): string {
  const last = prefix.length - 1;
  return prefix.slice(0, last) + String.fromCharCode(prefix.charCodeAt(last) + 1);
}
