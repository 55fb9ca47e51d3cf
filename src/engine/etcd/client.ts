import { z } from 'zod';
import { JsonClient, type TlsIdentity, UnreachableError } from '../../lib/http.ts';
import { ETCD_CLIENT_PORT, ETCD_PEER_PORT } from './config.ts';

const health = z.object({ health: z.union([z.literal('true'), z.literal('false'), z.boolean()]) });
const version = z.object({ etcdserver: z.string(), etcdcluster: z.string() });

const range = z.object({ kvs: z.array(z.object({ value: z.string() })).default([]) });

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
   * The value of one key; undefined when there is none. Linearizable: a voter that is cut off from the others
   * does not answer. Rejects with UnreachableError when the voter does not answer, or has no quorum in time.
   */
  async readKey(key: string, signal: AbortSignal, timeoutMs = 1000): Promise<string | undefined> {
    const body = { key: Buffer.from(key).toString('base64') };
    const response = await this.#http.request('POST', '/v3/kv/range', { body, timeoutMs, signal });
    if (response.status !== 200) {
      throw new UnreachableError({
        code: 'etcd-failed',
        message: `etcd did not read ${key} (HTTP ${response.status})`,
        detail: response.body.slice(0, 300),
      });
    }
    const [found] = range.parse(JSON.parse(response.body)).kvs;
    return found === undefined ? undefined : Buffer.from(found.value, 'base64').toString('utf8');
  }

  /** Deletes one key. Rejects with UnreachableError when the voter does not answer, or has no quorum in time. */
  async deleteKey(key: string, signal: AbortSignal): Promise<void> {
    const body = { key: Buffer.from(key).toString('base64') };
    const response = await this.#http.request('POST', '/v3/kv/deleterange', {
      body,
      timeoutMs: 5000,
      signal,
    });
    if (response.status === 200) return;
    throw new UnreachableError({
      code: 'etcd-failed',
      message: `etcd did not delete ${key} (HTTP ${response.status})`,
      detail: response.body.slice(0, 300),
    });
  }

  [Symbol.dispose](): void {
    this.#http[Symbol.dispose]();
    this.#peer[Symbol.dispose]();
  }
}
