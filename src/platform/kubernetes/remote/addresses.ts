import type { ClusterSpec, EndpointName } from '../../../core/manifest/spec.ts';
import type { EndpointAddress } from '../../contract.ts';
import type { LiveObject } from '../api/kinds.ts';
import { certificateSecretName, POSTGRES_PORT, serviceName } from '../objects/names.ts';

export const ENDPOINTS: readonly EndpointName[] = ['primary', 'standby', 'pooler', 'poolerStandby'];

/**
 * Where applications find an endpoint: at a load balancer's address where it has one, else under the Service's name,
 * which is known inside the Kubernetes cluster only. undefined: there is no such Service.
 */
export function addressOf(
  spec: ClusterSpec,
  namespace: string,
  endpoint: EndpointName,
  services: readonly LiveObject[],
): EndpointAddress | undefined {
  const service = serviceName(spec.name, endpoint);
  const found = services.find(({ metadata }) => metadata.name === service);
  if (found === undefined) return undefined;
  const { loadBalancer } = (found.status ?? {}) as {
    loadBalancer?: { ingress?: { ip?: string; hostname?: string }[] };
  };
  const [outside] = loadBalancer?.ingress ?? [];
  const host = outside?.hostname ?? outside?.ip;
  const port = POSTGRES_PORT;
  const secret = certificateSecretName(spec.name);
  if (host !== undefined) {
    const notes = ['the certificate does not name the address of the load balancer: verify-ca'];
    if (spec.allowedSourceRanges.length === 0) notes.push('allowedSourceRanges is empty: it lets nobody in');
    return { host, port, unnamed: true, note: notes.join('; ') };
  }
  return {
    host: `${service}.${namespace}.svc`,
    port,
    ...(spec.kubernetes.tls !== undefined && { unnamed: true }),
    note: `this name is known inside the Kubernetes cluster only, where the authority is ca.crt of the Secret ${secret}; from here: pgherd psql ${spec.name}`,
  };
}
