import {
  createServer,
  type IncomingMessage,
  type RequestOptions,
  type Server,
  type ServerResponse,
} from 'node:http';
import { request as requestHttps } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import type { Access } from '../../src/platform/kubernetes/api/kubeconfig.ts';

/** A request that changes something, after the API server has done it and before the operator hears of it. */
export interface Write {
  method: string;
  path: string;
}

/**
 * Stands between an operator and the API server: the way to it can be cut, the operator can be somebody with fewer
 * rights, and every change it makes can be seen at the moment at which it is made. The API server behind it is real.
 */
export class ApiProxy implements AsyncDisposable {
  /** Told of every change but those of leases; resolves before the operator gets its answer. */
  onWrite: (write: Write) => Promise<void> | void = () => {};
  /** As whom requests are made; undefined: as the kubeconfig's own user. */
  impersonate: string | undefined;
  readonly #access: Access;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #cut = false;

  private constructor(access: Access) {
    this.#access = access;
    this.#server = createServer((incoming, answer) => this.#forward(incoming, answer));
    this.#server.on('upgrade', (incoming, socket, head) => this.#tunnel(incoming, socket, head));
    this.#server.on('connection', socket => {
      if (this.#cut) socket.destroy();
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  static async open(access: Access): Promise<ApiProxy> {
    const proxy = new ApiProxy(access);
    await new Promise<void>(resolve => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  /** Of a kubeconfig that leads here. */
  get kubeconfig(): object {
    const { port } = this.#server.address() as AddressInfo;
    return {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'proxy',
      clusters: [{ name: 'proxy', cluster: { server: `http://127.0.0.1:${port}` } }],
      users: [{ name: 'proxy', user: {} }],
      contexts: [{ name: 'proxy', context: { cluster: 'proxy', user: 'proxy' } }],
    };
  }

  /** Cuts every connection, and each new one, until `mend`. */
  cut(): void {
    this.#cut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#cut = false;
  }

  #target(incoming: IncomingMessage): RequestOptions {
    const { hostname, port } = new URL(this.#access.server);
    const headers = { ...incoming.headers, host: `${hostname}:${port}` };
    return {
      host: hostname,
      port,
      ...this.#access.tls,
      method: incoming.method,
      path: incoming.url,
      headers:
        this.impersonate === undefined ? headers : { ...headers, 'impersonate-user': this.impersonate },
    };
  }

  #forward(incoming: IncomingMessage, answer: ServerResponse): void {
    const { method = 'GET', url = '' } = incoming;
    const write = method !== 'GET' && !url.includes('/leases');
    const outgoing = requestHttps(this.#target(incoming), async response => {
      const done = (response.statusCode ?? 500) < 300;
      if (write && done) await this.onWrite({ method, path: url.replace(/\?.*/, '') });
      answer.writeHead(response.statusCode ?? 502, response.headers);
      answer.flushHeaders();
      response.pipe(answer);
      response.on('error', () => answer.destroy());
    });
    outgoing.on('error', () => answer.destroy());
    answer.on('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
  }

  /** WebSockets: commands in pods. */
  #tunnel(incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { host, port, headers = {} } = this.#target(incoming);
    const upstream = connect({ host: host ?? '', port: Number(port), ...this.#access.tls }, () => {
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
      upstream.write(`${incoming.method} ${incoming.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
    socket.on('close', () => upstream.destroy());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise<void>(resolve => this.#server.close(() => resolve()));
  }
}
