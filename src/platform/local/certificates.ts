import { X509Certificate } from 'node:crypto';
import { copyFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { authorityArguments, daysLeft, isDueForRenewal, leafArguments } from '../../lib/certificates.ts';
import { run } from '../../lib/exec.ts';
import { type Owner, readIfExists, writeAtomically } from '../../lib/files.ts';

const WARN_BELOW_DAYS = 60;

export interface CertificateRequest {
  /** Common name, and the files' name: <name>.crt, <name>.key, and <name>.pem with both. */
  name: string;
  addresses: string[];
}

export interface Authority {
  openssl: string;
  /** Directory of keys and certificates. */
  directory: string;
  owner: Owner | undefined;
  signal: AbortSignal;
}

/**
 * Makes the cluster's own certificate authority, once, and a certificate for each request that has none, whose
 * addresses changed, or that nears its end. Resolves with the names of what was issued.
 */
export async function ensureCertificates(
  authority: Authority,
  caCopy: string,
  commonName: string,
  requests: CertificateRequest[],
  now: Date,
): Promise<string[]> {
  const { directory } = authority;
  if ((await readIfExists(join(directory, 'ca.crt'))) === undefined) {
    // The key is in place before the certificate: an interrupted run starts over.
    await openssl(authority, 'ca', authorityArguments(commonName));
  }
  await copyFile(join(directory, 'ca.crt'), caCopy);
  const wanting = await Promise.all(requests.map(request => needsIssue(directory, request, now)));
  const issued = requests.filter((_, n) => wanting[n]);
  await Promise.all(issued.map(request => issue(authority, request)));
  return issued.map(request => request.name);
}

/** A sentence when the certificates' end is near because nobody has run `up` for long; else nothing. */
export async function expiryNotes(directory: string, now: Date): Promise<string[]> {
  const text = await readIfExists(join(directory, 'endpoint.crt'));
  const days = text === undefined ? Infinity : daysLeft(new X509Certificate(text), now);
  if (days > WARN_BELOW_DAYS) return [];
  return [
    `the certificates end in ${Math.max(0, Math.floor(days))} days: \`pgherd up\` with the manifest renews them`,
  ];
}

async function needsIssue(directory: string, request: CertificateRequest, now: Date): Promise<boolean> {
  const text = await readIfExists(join(directory, `${request.name}.pem`));
  if (text === undefined) return true;
  const certificate = new X509Certificate(text);
  return (
    isDueForRenewal(certificate, now) ||
    !request.addresses.every(address => certificate.checkIP(address) !== undefined)
  );
}

async function issue(authority: Authority, request: CertificateRequest): Promise<void> {
  const { directory } = authority;
  const names = [
    `DNS:${request.name}`,
    'DNS:localhost',
    ...request.addresses.map(address => `IP:${address}`),
  ];
  const keeper = { cert: join(directory, 'ca.crt'), key: join(directory, 'ca.key') };
  await openssl(authority, request.name, leafArguments(request.name, names, keeper));
  const cert = (await readIfExists(join(directory, `${request.name}.crt`))) ?? '';
  const key = (await readIfExists(join(directory, `${request.name}.key`))) ?? '';
  await writeAtomically(join(directory, `${request.name}.pem`), cert + key, {
    mode: 0o600,
    owner: authority.owner,
  });
}

/** One run of `openssl req -x509`: key first, then certificate, each renamed into place. */
async function openssl(authority: Authority, name: string, options: string[]): Promise<void> {
  const file = (extension: string) => join(authority.directory, `${name}.${extension}`);
  await run([authority.openssl, ...options, '-keyout', file('key.tmp'), '-out', file('crt.tmp')], {
    signal: authority.signal,
    timeoutMs: 20_000,
  });
  for (const [extension, mode] of [
    ['key', 0o600],
    ['crt', 0o644],
  ] as const) {
    await writeAtomically(file(`${extension}.tmp`), (await readIfExists(file(`${extension}.tmp`))) ?? '', {
      mode,
      // No server needs the authority's key: where pgherd is root, only root reads it.
      owner: name === 'ca' ? undefined : authority.owner,
    });
    await rename(file(`${extension}.tmp`), file(extension));
  }
}
