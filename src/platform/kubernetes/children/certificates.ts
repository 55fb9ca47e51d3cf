import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { authorityArguments, isDueForRenewal, leafArguments } from '../../../lib/certificates.ts';
import { run } from '../../../lib/exec.ts';
import type { LiveObject } from '../api/kinds.ts';
import type { KubeObject } from '../objects/index.ts';
import { certificateSecretName, poolerNames, serviceName } from '../objects/names.ts';
import { decoded, encode } from './secrets.ts';

const OPENSSL_MS = 20_000;

export interface CertificateInput {
  cluster: string;
  namespace: string;
  clusterDomain: string;
  openssl: string;
  now: Date;
  signal: AbortSignal;
}

/** Secret with the key of the cluster's own certificate authority: no pod sees it. */
export function authoritySecretName(cluster: string): string {
  return `${cluster}-ca-pgherd`;
}

/** Every name that clients call the cluster by. */
function namesOf({ cluster, namespace, clusterDomain }: CertificateInput): string[] {
  const services = [
    serviceName(cluster, 'primary'),
    serviceName(cluster, 'standby'),
    ...Object.values(poolerNames(cluster)),
  ];
  const ends = ['', `.${namespace}`, `.${namespace}.svc`, `.${namespace}.svc.${clusterDomain}`];
  return ['localhost', ...services.flatMap(service => ends.map(end => `${service}${end}`))];
}

/** What the Secrets of authority and servers should hold, or undefined where they are good as they are. */
export async function certificateData(
  input: CertificateInput,
  authority: LiveObject | undefined,
  servers: LiveObject | undefined,
): Promise<{ authority: Record<string, string> | undefined; servers: Record<string, string> | undefined }> {
  const ca = { cert: decoded(authority, 'ca.crt'), key: decoded(authority, 'ca.key') };
  if (ca.cert !== undefined && ca.key !== undefined && isGood(input, ca.cert, servers)) {
    return { authority: undefined, servers: undefined };
  }
  const directory = await mkdtemp(join(tmpdir(), 'pgherd-'));
  try {
    const fresh = ca.cert === undefined || ca.key === undefined;
    const kept = fresh
      ? await openssl(input, directory, 'ca', authorityArguments(`pgherd ${input.cluster}`))
      : { cert: ca.cert ?? '', key: ca.key ?? '' };
    const files = { cert: join(directory, 'ca.crt'), key: join(directory, 'ca.key') };
    if (!fresh) {
      await writeFile(files.cert, kept.cert, { mode: 0o600 });
      await writeFile(files.key, kept.key, { mode: 0o600 });
    }
    const names = namesOf(input).map(name => `DNS:${name}`);
    const leaf = await openssl(input, directory, 'tls', leafArguments(input.cluster, names, files));
    return {
      authority: fresh ? { 'ca.crt': encode(kept.cert), 'ca.key': encode(kept.key) } : undefined,
      servers: { 'ca.crt': encode(kept.cert), 'tls.crt': encode(leaf.cert), 'tls.key': encode(leaf.key) },
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** A Secret of ours with these keys. */
export function certificateSecret(
  metadata: KubeObject['metadata'],
  data: Record<string, string>,
): KubeObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', data };
}

export function certificateSecretNames(cluster: string): { authority: string; servers: string } {
  return { authority: authoritySecretName(cluster), servers: certificateSecretName(cluster) };
}

function isGood(input: CertificateInput, ca: string, servers: LiveObject | undefined): boolean {
  const text = decoded(servers, 'tls.crt');
  if (text === undefined || decoded(servers, 'tls.key') === undefined) return false;
  try {
    const certificate = new X509Certificate(text);
    return (
      decoded(servers, 'ca.crt') === ca &&
      certificate.checkIssued(new X509Certificate(ca)) &&
      !isDueForRenewal(certificate, input.now) &&
      namesOf(input).every(name => certificate.checkHost(name) !== undefined)
    );
  } catch {
    return false;
  }
}

async function openssl(
  { openssl: program, signal }: CertificateInput,
  directory: string,
  name: string,
  options: string[],
): Promise<{ cert: string; key: string }> {
  const files = { cert: join(directory, `${name}.crt`), key: join(directory, `${name}.key`) };
  await run([program, ...options, '-keyout', files.key, '-out', files.cert], {
    signal,
    timeoutMs: OPENSSL_MS,
  });
  return { cert: await readFile(files.cert, 'utf8'), key: await readFile(files.key, 'utf8') };
}
