import { X509Certificate } from 'node:crypto';
import { copyFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../lib/exec.ts';
import { type Owner, readIfExists, writeAtomically } from '../../lib/files.ts';

/** Certificates of servers live two years and are renewed when a third of that is left. */
const LEAF_DAYS = 730;
const RENEW_BELOW_DAYS = LEAF_DAYS / 3;
const WARN_BELOW_DAYS = 60;
const CA_DAYS = 3650;
const KEY_OPTIONS = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

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
    await openssl(authority, 'ca', [
      ...['-subj', `/CN=${commonName}`, '-days', String(CA_DAYS)],
      // Python 3.13 takes no authority without it.
      ...['-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
    ]);
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

function daysLeft(certificate: X509Certificate, now: Date): number {
  return (certificate.validToDate.getTime() - now.getTime()) / 86_400_000;
}

async function needsIssue(directory: string, request: CertificateRequest, now: Date): Promise<boolean> {
  const text = await readIfExists(join(directory, `${request.name}.pem`));
  if (text === undefined) return true;
  const certificate = new X509Certificate(text);
  return (
    daysLeft(certificate, now) < RENEW_BELOW_DAYS ||
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
  await openssl(authority, request.name, [
    '-subj',
    `/CN=${request.name}`,
    '-days',
    String(LEAF_DAYS),
    '-CA',
    join(directory, 'ca.crt'),
    '-CAkey',
    join(directory, 'ca.key'),
    '-addext',
    `subjectAltName=${names.join(',')}`,
    '-addext',
    'basicConstraints=critical,CA:FALSE',
    '-addext',
    'extendedKeyUsage=serverAuth,clientAuth',
    '-addext',
    'keyUsage=critical,digitalSignature',
  ]);
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
  await run(
    [
      authority.openssl,
      'req',
      '-x509',
      ...KEY_OPTIONS,
      ...options,
      '-keyout',
      file('key.tmp'),
      '-out',
      file('crt.tmp'),
    ],
    { signal: authority.signal, timeoutMs: 20_000 },
  );
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
