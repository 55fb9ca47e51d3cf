import { manifestApiVersion, manifestKind } from '../schema.ts';
import { specSchema } from '../schemaSpec.ts';
import { withRules } from './rules.ts';
import { statusSchema } from './status.ts';
import { type StructuralSchema, structural } from './structural.ts';

const [group = '', version = ''] = manifestApiVersion.split('/');
const plural = 'postgresqls';

export const crdName = `${plural}.${group}`;

/** Columns of `kubectl get pg`. */
const columns = [
  ['Team', 'string', '.spec.teamId', 'Team that owns the cluster'],
  ['Version', 'string', '.spec.postgresql.version', 'PostgreSQL major version'],
  ['Pods', 'integer', '.spec.numberOfInstances', 'Instances asked for'],
  ['Volume', 'string', '.spec.volume.size', 'Size of the data volume of an instance'],
  ['CPU-Request', 'string', '.spec.resources.requests.cpu', 'CPU set aside for an instance'],
  ['Memory-Request', 'string', '.spec.resources.requests.memory', 'Memory set aside for an instance'],
  ['Age', 'date', '.metadata.creationTimestamp', undefined],
  ['Status', 'string', '.status.PostgresClusterStatus', 'State of the cluster'],
] as const;

/**
 * The CustomResourceDefinition, for API servers from 1.21 on. `rules`: with CEL rules, for those from 1.25 on; older
 * ones take the definition and leave the rules out, with a warning.
 */
export function customResourceDefinition(options: { rules?: boolean } = {}) {
  const root = rootSchema();
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: crdName },
    spec: {
      group,
      scope: 'Namespaced',
      names: {
        kind: manifestKind,
        listKind: `${manifestKind}List`,
        plural,
        singular: manifestKind,
        shortNames: ['pg'],
        categories: ['all'],
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns.map(([name, type, jsonPath, description]) => ({
            name,
            type,
            jsonPath,
            ...(description === undefined ? {} : { description }),
          })),
          schema: { openAPIV3Schema: options.rules === true ? withRules(root) : root },
        },
      ],
    },
  };
}

/** `metadata` is the API server's own matter: a CRD may not describe it. */
function rootSchema(): StructuralSchema {
  const status = structural(statusSchema);
  const conditions = status.properties?.conditions;
  return {
    type: 'object',
    description: 'A PostgreSQL cluster',
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: { ...structural(specSchema), description: 'What the cluster should be' },
      status: {
        ...status,
        description: 'Written by the operator',
        properties: {
          ...status.properties,
          // Each condition is patched by itself.
          ...(conditions === undefined
            ? {}
            : {
                conditions: {
                  ...conditions,
                  'x-kubernetes-list-type': 'map',
                  'x-kubernetes-list-map-keys': ['type'],
                },
              }),
        },
      },
    },
  };
}
