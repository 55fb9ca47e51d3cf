import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

export interface HealthSource {
  /** The process does its work; false: it should be restarted. */
  alive(): boolean;
  /** It could act, or acts. */
  ready(): boolean;
}

/** Serves /metrics, /healthz and /readyz until disposed of. Port 0: any that is free. */
export async function serveMetrics(
  port: number,
  registry: Registry,
  health: HealthSource,
): Promise<{ port: number } & AsyncDisposable> {
  const server = createServer((request, response) => {
    const answer = (status: number, text: string, type = 'text/plain; charset=utf-8') => {
      response.writeHead(status, { 'content-type': type });
      response.end(text);
    };
    const path = (request.url ?? '/').split('?')[0];
    if (path === '/healthz') answer(health.alive() ? 200 : 503, health.alive() ? 'ok\n' : 'stuck\n');
    else if (path === '/readyz') answer(health.ready() ? 200 : 503, health.ready() ? 'ok\n' : 'not ready\n');
    else if (path === '/metrics') {
      registry.metrics().then(
        text => answer(200, text, registry.contentType),
        () => answer(500, 'metrics could not be collected\n'),
      );
    } else answer(404, 'nothing here: /metrics, /healthz, /readyz\n');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>(resolve => server.close(() => resolve()));
    },
  };
}
