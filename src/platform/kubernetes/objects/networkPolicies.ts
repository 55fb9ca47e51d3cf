import { PATRONI_PORT } from '../../../engine/patroni/config.ts';
import type { ObjectsInput } from './input.ts';
import { CLONE_LABEL, CLUSTER_LABEL, memberSelector, metaOf, poolerSelector } from './labels.ts';
import { POSTGRES_PORT, poolerNames, repositoryHostName, SSH_PORT } from './names.ts';
import type { KubeObject } from './object.ts';
import { wantedPoolers } from './pooler.ts';
import { wantsRepositoryHost } from './repositories.ts';
import { repositorySelector } from './repositoryHost.ts';

/**
 * Who may reach the pods. Patroni's interface is for members and the operator. PostgreSQL and PgBouncer are for
 * every namespace; where a Service is open to the outside, for everybody: behind a load balancer the address of a
 * client is often that of a node, and the source ranges are held by the load balancer.
 */
export function networkPolicies(input: ObjectsInput): KubeObject[] {
  const { spec, config } = input;
  if (!config.networkPolicies.enabled) return [];
  const members = memberSelector(spec.name);
  const { operatorNamespace } = config.networkPolicies;
  const operator =
    operatorNamespace === undefined
      ? {}
      : { matchLabels: { 'kubernetes.io/metadata.name': operatorNamespace } };
  const tcp = (port: number) => [{ port, protocol: 'TCP' }];
  const clients = (open: boolean) => ({
    ports: tcp(POSTGRES_PORT),
    ...(open ? {} : { from: [{ namespaceSelector: {} }] }),
  });
  return [
    policy(input, spec.name, members, [
      clients(spec.exposed.primary || spec.exposed.standby),
      {
        ports: tcp(PATRONI_PORT),
        from: [{ podSelector: { matchLabels: members } }, { namespaceSelector: operator }],
      },
    ]),
    ...(wantsRepositoryHost(spec)
      ? [
          policy(input, repositoryHostName(spec.name), repositorySelector(spec.name), [
            {
              ports: tcp(SSH_PORT),
              from: [CLUSTER_LABEL, CLONE_LABEL].map(label => ({
                podSelector: { matchLabels: { [label]: spec.name } },
              })),
            },
          ]),
        ]
      : []),
    ...wantedPoolers(input).map(endpoint => {
      const name = poolerNames(spec.name)[endpoint];
      return policy(input, name, poolerSelector(name), [clients(spec.exposed[endpoint])]);
    }),
  ];
}

function policy(
  input: ObjectsInput,
  name: string,
  matchLabels: Record<string, string>,
  ingress: object[],
): KubeObject {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metaOf(input, name),
    spec: { podSelector: { matchLabels }, policyTypes: ['Ingress'], ingress },
  };
}
