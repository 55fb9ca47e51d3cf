import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, type RequestOptions, request as requestHttps } from 'node:https';
import WebSocket from 'ws';
import { messageOf, PgherdError } from '../../../lib/errors.ts';
import { Credentials, type Identity } from './credentials.ts';
import { type ApiError, type ApiRequest, ApiUnreachableError, errorOf } from './errors.ts';
import { type Access, type AccessOptions, findAccess } from './kubeconfig.ts';

export interface RawRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With the query. */
  path: string;
  contentType?: string;
  body?: string;
  /** A watch: it has a connection of its own for as long as it lasts. */
  lasting?: boolean;
}

/** Requests at the same time; more wait here, not at the server. Watches are not counted. */
const MAX_SOCKETS = 16;

/** Speaks HTTP and WebSocket to one API server, as whoever the kubeconfig or the pod's ServiceAccount says. */
export class Connection {
  /** The namespace of the context, or of the pod we run in. */
  readonly namespace: string;
  readonly #access: Access;
  readonly #server: URL;
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #lastingAgent: HttpAgent | HttpsAgent;
  readonly #credentials: Credentials;

  constructor(access: Access) {
    this.#access = access;
    this.#server = new URL(access.server);
    this.namespace = access.namespace;
    this.#credentials = new Credentials(access);
    const agent = (options: { keepAlive: boolean; maxSockets?: number }) =>
      this.#server.protocol === 'http:'
        ? new HttpAgent(options)
        : new HttpsAgent({ ...options, ...access.tls });
    this.#agent = agent({ keepAlive: true, maxSockets: MAX_SOCKETS });
    this.#lastingAgent = agent({ keepAlive: false });
  }

  /** Rejects with PgherdError when there is no usable configuration. */
  static async open(options: AccessOptions): Promise<Connection> {
    return new Connection(await findAccess(options));
  }

  get server(): string {
    return this.#server.origin;
  }

  /** Sends one request; resolves with the answer's head. Rejects with ApiUnreachableError or the signal's reason. */
  async send(raw: RawRequest, signal: AbortSignal): Promise<IncomingMessage> {
    signal.throwIfAborted();
    const identity = await this.#credentials.identity(signal);
    const options: RequestOptions = {
      ...this.#target(raw.path),
      ...own(identity),
      method: raw.method,
      agent: raw.lasting === true ? this.#lastingAgent : this.#agent,
      signal,
      headers: {
        accept: 'application/json',
        ...authorization(identity),
        ...(raw.body !== undefined && {
          'content-type': raw.contentType ?? 'application/json',
          'content-length': Buffer.byteLength(raw.body),
        }),
      },
    };
    const request = this.#server.protocol === 'http:' ? requestHttp : requestHttps;
    try {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        const call = request(options, resolve);
        call.on('error', reject);
        call.end(raw.body);
      });
      if (response.statusCode === 401) this.#credentials.forget();
      return response;
    } catch (cause) {
      signal.throwIfAborted();
      throw this.#unreachable(cause);
    }
  }

  /**
   * Opens a WebSocket of the given subprotocol, paused: the first messages may come with the answer, before anybody can
   * listen. Rejects with ApiUnreachableError, or the ApiError of a refusal.
   */
  async socket(path: string, protocol: string, asked: ApiRequest, signal: AbortSignal): Promise<WebSocket> {
    signal.throwIfAborted();
    const identity = await this.#credentials.identity(signal);
    const { host, port, path: full } = this.#target(path);
    const scheme = this.#server.protocol === 'http:' ? 'ws' : 'wss';
    const socket = new WebSocket(
      `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}${full}`,
      protocol,
      {
        ...this.#access.tls,
        ...own(identity),
        headers: authorization(identity),
      },
    );
    const abort = () => socket.terminate();
    signal.addEventListener('abort', abort, { once: true });
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('open', () => {
          socket.pause();
          resolve();
        });
        socket.once('error', reject);
        socket.once('unexpected-response', (_request, response: IncomingMessage) => {
          void refusal(asked, response).then(reject, reject);
        });
      });
      return socket;
    } catch (cause) {
      socket.on('error', () => {});
      socket.terminate();
      signal.throwIfAborted();
      if (cause instanceof PgherdError) throw cause;
      throw this.#unreachable(cause);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  #target(path: string): { host: string; port: string; path: string } {
    const { hostname, port, protocol, pathname } = this.#server;
    return {
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port === '' ? (protocol === 'http:' ? '80' : '443') : port,
      path: `${pathname.replace(/\/$/, '')}${path}`,
    };
  }

  #unreachable(cause: unknown): ApiUnreachableError {
    return new ApiUnreachableError({
      code: 'kubernetes-unreachable',
      message: `the Kubernetes API server at ${this.server} does not answer`,
      detail: messageOf(cause),
      cause,
    });
  }
}

function authorization({ authorization: value }: Identity): Record<string, string> {
  return value === undefined ? {} : { authorization: value };
}

function own({ cert, key }: Identity): { cert?: string; key?: string } {
  return { ...(cert !== undefined && { cert }), ...(key !== undefined && { key }) };
}

async function refusal(asked: ApiRequest, response: IncomingMessage): Promise<ApiError> {
  return errorOf(asked, response.statusCode ?? 0, await bodyOf(response));
}

/** Reads an answer to its end. Rejects with ApiUnreachableError when it breaks off. */
export async function bodyOf(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8');
  let text = '';
  try {
    for await (const chunk of response) text += chunk;
  } catch (cause) {
    throw new ApiUnreachableError({
      code: 'kubernetes-unreachable',
      message: 'the answer of the Kubernetes API server broke off',
      detail: messageOf(cause),
      cause,
    });
  }
  return text;
}
