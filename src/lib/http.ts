import { Agent, request } from 'node:https';
import { createSecureContext } from 'node:tls';
import { PgherdError } from './errors.ts';
import { withDeadline } from './time.ts';

/** Certificates for mutual TLS, in PEM. */
export interface TlsIdentity {
  ca: string;
  cert: string;
  key: string;
}

export interface HttpResponse {
  status: number;
  body: string;
}

/** A server that was not reached, or did not answer in time. */
export class UnreachableError extends PgherdError {}

/**
 * A client for one server's JSON over HTTPS with a client certificate. Connections are kept for reuse, so
 * that watching a cluster costs no handshake per look.
 */
export class JsonClient implements Disposable {
  readonly #agent: Agent;
  readonly #host: string;
  readonly #port: number;

  /** @param tlsName the name in the server's certificate, where that is not `host`. */
  constructor(host: string, port: number, identity: TlsIdentity, tlsName?: string) {
    this.#host = host;
    this.#port = port;
    // Parsing keys and certificates for each connection would cost more than the handshake.
    const options = {
      secureContext: createSecureContext(identity),
      keepAlive: true,
      maxSockets: 4,
      ...(tlsName !== undefined && { servername: tlsName }),
    };
    this.#agent = new Agent(options);
  }

  /** Rejects with UnreachableError, or with the signal's reason; every HTTP status is a result. */
  async request(
    method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE',
    path: string,
    options: { body?: unknown; timeoutMs: number; signal: AbortSignal },
  ): Promise<HttpResponse> {
    const what = `${method} ${path} on ${this.#host}:${this.#port}`;
    using signal = withDeadline(options.signal, what, options.timeoutMs);
    const text = options.body === undefined ? undefined : JSON.stringify(options.body);
    try {
      return await new Promise<HttpResponse>((resolve, reject) => {
        const call = request(
          {
            agent: this.#agent,
            host: this.#host,
            port: this.#port,
            method,
            path,
            signal,
            headers:
              text === undefined
                ? {}
                : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
          },
          response => {
            let body = '';
            response.setEncoding('utf8');
            response.on('data', chunk => {
              body += chunk;
            });
            response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
            response.on('error', reject);
          },
        );
        call.on('error', reject);
        call.end(text);
      });
    } catch (cause) {
      options.signal.throwIfAborted();
      throw new UnreachableError({ code: 'unreachable', message: `${what}: no answer`, cause });
    }
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}
