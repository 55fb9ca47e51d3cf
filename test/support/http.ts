import { request } from 'node:https';

export interface Certificate {
  cert: Buffer;
  key: Buffer;
}

/** One GET. Rejects with the system's or OpenSSL's error when the connection does not come about. */
export function ask(
  ca: string,
  where: { host: string; port: number; path: string },
  certificate?: Certificate,
): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const call = request({ ...where, ca, ...certificate, agent: false, timeout: 5000 }, response => {
      let body = '';
      response.setEncoding('utf8').on('data', chunk => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode, body }));
      response.on('error', reject);
    });
    call.on('error', reject);
    call.on('timeout', () => call.destroy(new Error('no answer')));
    call.end();
  });
}
