/** Keys, certificates and passwords of a cluster: made once, renewed in time, and read for rendering. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterSpec } from '../../core/manifest/spec.ts';
import { desiredUsers } from '../../core/plan/catalog.ts';
import { POOLER_ADMIN } from '../../engine/pgbouncer/config.ts';
import { ensureCertificates } from './certificates.ts';
import { endpointAddress, memberAddress, memberName, outsideAddress, type Paths, VOTERS } from './layout.ts';
import type { ClusterRecord } from './record.ts';
import type { SecretStore } from './secrets.ts';

export interface Material {
  /** By user name. */
  passwords: Record<string, string>;
  /** Fingerprint of each server's certificate: it changes when the certificate was renewed. */
  certificates: Record<string, string>;
}

/** Makes what is missing: passwords for every login role, certificates for every server. */
export async function ensureMaterial(
  spec: ClusterSpec,
  record: ClusterRecord,
  paths: Paths,
  secrets: SecretStore,
  signal: AbortSignal,
): Promise<void> {
  await secrets.ensure([...desiredUsers(spec), POOLER_ADMIN]);
  const { subnet, programs, serviceUser, listen } = record;
  const front = [
    '127.0.0.1',
    endpointAddress(subnet),
    ...(listen === undefined ? [] : [listen]),
    // etcd holds who connects to its peers' port to the addresses in their certificate.
    ...(record.isolated ? [outsideAddress(record)] : []),
  ];
  const own = (ordinal: number) => [memberAddress(record, ordinal), ...front];
  const owner = process.getuid?.() === 0 ? serviceUser : undefined;
  await ensureCertificates(
    { openssl: programs.openssl, directory: paths.tls, owner, signal },
    paths.ca,
    `pgherd ${record.uid}`,
    [
      ...Array.from({ length: VOTERS }, (_, n) => ({ name: `etcd-${n}`, addresses: own(n) })),
      ...Array.from({ length: spec.instances }, (_, n) => ({ name: memberName(spec, n), addresses: own(n) })),
      ...['endpoint', 'proxy', 'control'].map(name => ({ name, addresses: front })),
    ],
    new Date(),
  );
}

/** Reads what rendering needs; what is not there yet is left out. */
export async function readMaterial(spec: ClusterSpec, paths: Paths, secrets: SecretStore): Promise<Material> {
  const known = await secrets.users();
  const users = ['postgres', 'standby', spec.pooler.user, POOLER_ADMIN].filter(user => known.includes(user));
  const passwords = await Promise.all(
    users.map(async user => [user, (await secrets.read(user)).password] as const),
  );
  const names = [
    'endpoint',
    'proxy',
    ...Array.from({ length: spec.instances }, (_, n) => memberName(spec, n)),
  ];
  const certificates = await Promise.all(
    names.map(async name => {
      const text = await readFile(join(paths.tls, `${name}.crt`)).catch(() => '');
      return [name, createHash('sha256').update(text).digest('hex').slice(0, 16)] as const;
    }),
  );
  return { passwords: Object.fromEntries(passwords), certificates: Object.fromEntries(certificates) };
}
