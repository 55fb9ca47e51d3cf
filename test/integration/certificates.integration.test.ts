import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../src/lib/exec.ts';
import { ensureCertificates } from '../../src/platform/local/certificates.ts';

const YEAR_MS = 365 * 86_400_000;
const NOW = new Date();

describe('certificates by openssl', () => {
  let directory = '';
  const signal = AbortSignal.timeout(60_000);
  const ensure = (addresses: string[], now: Date) =>
    ensureCertificates(
      { openssl: 'openssl', directory, owner: undefined, signal },
      join(directory, 'copy.crt'),
      'pgherd test',
      [{ name: 'leaf', addresses }],
      now,
    );

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'pgherd-certificates-'));
  });
  afterAll(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  it('makes an authority and certificates that stand the strict check of Python 3.13', async () => {
    expect(await ensure(['127.0.0.1'], NOW)).toEqual(['leaf']);
    const strict = [
      'openssl',
      'verify',
      '-x509_strict',
      '-purpose',
      'sslserver',
      '-verify_ip',
      '127.0.0.1',
    ] as const;
    const authority = join(directory, 'ca.crt');
    const verified = await run([...strict, '-CAfile', authority, join(directory, 'leaf.crt')], {
      signal,
      timeoutMs: 20_000,
    });
    expect(verified.stdout).toContain('OK');
    const text = await run(['openssl', 'x509', '-in', authority, '-noout', '-ext', 'keyUsage'], {
      signal,
      timeoutMs: 20_000,
    });
    expect(text.stdout).toContain('Certificate Sign');
  });

  it('keeps private keys to their owner', async () => {
    for (const name of (await readdir(directory)).filter(file => /\.(key|pem)$/.test(file))) {
      expect([name, (await stat(join(directory, name))).mode & 0o777]).toEqual([name, 0o600]);
    }
  });

  it('issues anew for another address or near the end, and only then', async () => {
    expect(await ensure(['127.0.0.1'], NOW)).toEqual([]);
    expect(await ensure(['127.0.0.1', '127.0.0.2'], NOW)).toEqual(['leaf']);
    expect(await ensure(['127.0.0.2'], NOW)).toEqual([]);
    expect(await ensure(['127.0.0.2'], new Date(NOW.getTime() + 1.5 * YEAR_MS))).toEqual(['leaf']);
  });
});
