import { createHash } from 'node:crypto';
import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import { ApiUnreachableError } from '../api/errors.ts';
import { ExecError, exec } from '../api/exec.ts';
import type { LiveObject } from '../api/kinds.ts';
import { decoded } from '../children/secrets.ts';
import { OWN_TLS, serverTls } from '../objects/layout.ts';
import { certificateSecretName, MEMBER_CONTAINER } from '../objects/names.ts';
import { POOLER_CONTAINER } from '../objects/pooler.ts';
import { ordinalOf } from '../patroni/view.ts';
import type { Tools } from './context.ts';

/** Hash of the certificates that the servers of a pod have read, on the pod. */
const CERTIFICATES_HASH = 'pgherd.dev/certificates-hash';
const RELOAD_MS = 10_000;
/** The kubelet takes a minute or more to bring a changed Secret into its pods. */
const AGAIN_MS = 15_000;
/** Secrets of people are not watched, and looked at this often. */
const FOREIGN_MS = 5 * 60_000;

/** PID 1 hands the signal on to its only child: Patroni (and by it PostgreSQL), or PgBouncer. All read files anew. */
const RELOAD = 'test "$(cat -- "$@" | sha256sum | cut -c 1-64)" = "$0" && kill -HUP 1';

/**
 * Has servers read certificates that changed, without a restart: as soon as the new ones are in the pod. Resolves with
 * whether some pod does not have them yet.
 */
export async function reloadCertificates(
  cluster: LiveObject,
  spec: ClusterSpec,
  { reconciler, memory, signal }: Tools,
): Promise<boolean> {
  const { client, watched, record } = reconciler;
  const { name, namespace = 'default' } = cluster.metadata;
  const now = performance.now();
  if (now < memory.certificates.notBefore) return false;
  const own = watched.find('Secret', namespace, certificateSecretName(name));
  const { tls } = spec.kubernetes;
  if (tls !== undefined && now - memory.certificates.foreignAt > FOREIGN_MS) {
    const get = (secret: string) => client.get({ kind: 'Secret', namespace, name: secret }, signal);
    const [server, authority] = [await get(tls.secretName), await get(tls.caSecretName ?? tls.secretName)];
    memory.certificates.foreignAt = now;
    memory.certificates.foreign = [
      decoded(server, tls.certificateFile),
      tls.caFile === undefined ? undefined : decoded(authority, tls.caFile),
    ].join('');
  }
  const content = [decoded(own, 'ca.crt'), decoded(own, 'tls.crt'), memory.certificates.foreign].join('');
  const wanted = createHash('sha256').update(content).digest('hex');
  const more = tls === undefined ? undefined : serverTls(tls);
  const files = [OWN_TLS.ca, OWN_TLS.cert, more?.cert, more?.ca].filter(file => file !== undefined);

  let pending = false;
  for (const pod of watched.children('Pod', `${namespace}/${name}`)) {
    const { name: podName, annotations = {} } = pod.metadata;
    const container = containerOf(name, pod);
    const before = annotations[CERTIFICATES_HASH];
    if (container === undefined || before === wanted.slice(0, 16) || !isReady(pod)) continue;
    const target = { namespace, pod: podName, container };
    const command = ['sh', '-c', RELOAD, wanted, ...files];
    if (!(await told(() => exec(client, target, command, { timeoutMs: RELOAD_MS, signal })))) {
      pending = true;
      continue;
    }
    const metadata = { annotations: { [CERTIFICATES_HASH]: wanted.slice(0, 16) } };
    await client.merge({ kind: 'Pod', namespace, name: podName }, { metadata }, signal);
    if (before === undefined) continue;
    const message = `${podName} has read its new certificates`;
    await record(cluster, { type: 'Normal', reason: 'CertificatesReloaded', message }, signal);
  }
  memory.certificates.notBefore = pending ? now + AGAIN_MS : 0;
  return pending;
}

async function told(run: () => Promise<{ code: number }>): Promise<boolean> {
  try {
    return (await run()).code === 0;
  } catch (error) {
    // The pod goes or comes just now: it is asked again.
    if (error instanceof ExecError || error instanceof ApiUnreachableError) return false;
    throw error;
  }
}

function containerOf(cluster: string, pod: LiveObject): string | undefined {
  if (ordinalOf(cluster, pod.metadata.name) !== undefined) return MEMBER_CONTAINER;
  return pod.metadata.labels?.application === 'db-connection-pooler' ? POOLER_CONTAINER : undefined;
}

function isReady(pod: LiveObject): boolean {
  const status = pod.status as { conditions?: { type: string; status: string }[] } | undefined;
  const ready = status?.conditions?.some(item => item.type === 'Ready' && item.status === 'True');
  return ready === true && pod.metadata.deletionTimestamp === undefined;
}
