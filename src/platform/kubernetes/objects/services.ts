import type { EndpointName } from '../../../core/manifest/spec.ts';
import type { ObjectsInput } from './input.ts';
import {
  clusterLabels,
  memberSelector,
  metaOf,
  PRIMARY_ROLE,
  poolerLabels,
  poolerSelector,
  ROLE_LABEL,
  STANDBY_ROLE,
} from './labels.ts';
import { configServiceName, POSTGRES_PORT, serviceName } from './names.ts';
import { defined, type KubeObject } from './object.ts';
import { wantedPoolers } from './pooler.ts';

/** Whom a load balancer lets in when the manifest names nobody: nobody. */
const NOBODY = ['127.0.0.1/32'];

/** The endpoints of the cluster, and the headless Service of Patroni's configuration. */
export function services(input: ObjectsInput): KubeObject[] {
  return [...wantedEndpoints(input).map(endpoint => service(input, endpoint)), configService(input)];
}

export function wantedEndpoints({ spec }: Pick<ObjectsInput, 'spec'>): EndpointName[] {
  return ['primary', 'standby', ...wantedPoolers({ spec })];
}

function service(input: ObjectsInput, endpoint: EndpointName): KubeObject {
  const { spec, config } = input;
  const name = serviceName(spec.name, endpoint);
  const wanted = spec.kubernetes.services[endpoint];
  const pooler = endpoint === 'pooler' || endpoint === 'poolerStandby';
  const type = wanted.nodePort ? 'NodePort' : wanted.loadBalancer ? 'LoadBalancer' : 'ClusterIP';
  const role = endpoint === 'primary' ? PRIMARY_ROLE : STANDBY_ROLE;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metaOf(input, name, {
      labels: pooler ? poolerLabels(input, name, endpoint) : { ...clusterLabels(input), [ROLE_LABEL]: role },
      annotations: {
        ...config.services.annotations,
        ...wanted.annotations,
        ...(type === 'LoadBalancer' ? hostnames(input, endpoint) : {}),
      },
    }),
    spec: defined({
      type,
      selector: pooler ? poolerSelector(name) : { ...memberSelector(spec.name), [ROLE_LABEL]: role },
      ports: [
        defined({
          name: pooler ? name.slice(0, 63) : 'postgresql',
          port: POSTGRES_PORT,
          targetPort: POSTGRES_PORT,
          protocol: 'TCP',
          nodePort: type === 'ClusterIP' ? undefined : wanted.nodePort ? wanted.port : undefined,
        }),
      ],
      externalTrafficPolicy: type === 'ClusterIP' ? undefined : config.services.externalTrafficPolicy,
      loadBalancerSourceRanges:
        type === 'LoadBalancer'
          ? spec.allowedSourceRanges.length === 0
            ? NOBODY
            : spec.allowedSourceRanges
          : undefined,
    }),
  };
}

/** Names for external-dns: those of the format. They cannot be overridden there either. */
function hostnames({ spec, config, owner }: ObjectsInput, endpoint: EndpointName): Record<string, string> {
  const zone = config.services.hostedZone;
  if (zone === undefined) return {};
  const name = serviceName(spec.name, endpoint);
  return { 'external-dns.alpha.kubernetes.io/hostname': `${name}.${owner.namespace}.${zone}` };
}

/** Patroni would make it itself in its other mode; made by us, pods need no right to make Services. */
function configService(input: ObjectsInput): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metaOf(input, configServiceName(input.spec.name)),
    spec: { type: 'ClusterIP', clusterIP: 'None' },
  };
}
