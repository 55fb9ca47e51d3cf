import { z } from 'zod';
import { anyObject, int64, optional, required, stringMap } from './schemaField.ts';
import { specSchema } from './schemaSpec.ts';

export const manifestApiVersion = 'acid.zalan.do/v1';
export const manifestKind = 'postgresql';

/** `name` to `annotations` are written by people, the rest by Kubernetes: `kubectl get -o yaml` shows all of it. */
const metadata = z.strictObject({
  name: required(z.string(), 'Name of the cluster', { example: 'my-cluster' }),
  namespace: optional(z.string(), 'Namespace of the cluster and everything that belongs to it', {
    fallback: 'default',
  }),
  labels: optional(stringMap, 'Labels of the cluster', { example: '{ team: acid }' }),
  annotations: optional(stringMap, 'Annotations of the cluster'),
  generateName: optional(z.string(), 'Prefix for a generated name'),
  finalizers: optional(z.array(z.string()), 'Who must clean up before the object may go'),
  ownerReferences: optional(z.array(anyObject), 'Objects this one belongs to'),
  uid: optional(z.string(), 'Identity given by Kubernetes'),
  resourceVersion: optional(z.string(), 'Revision given by Kubernetes'),
  generation: optional(int64, 'Counter of changes, kept by Kubernetes'),
  creationTimestamp: optional(z.string(), 'When Kubernetes created the object'),
  deletionTimestamp: optional(z.string(), 'When deletion was asked for'),
  deletionGracePeriodSeconds: optional(int64, 'How long deletion may take'),
  managedFields: optional(z.array(anyObject), 'Who changed which field, kept by Kubernetes'),
  selfLink: optional(z.string(), 'Address given by older Kubernetes'),
});

/**
 * The whole `postgresql` manifest. It checks shape and type only, as the API server does with the CRD that is
 * generated from it; what the values mean is judged by the files in `sections/`.
 */
export const manifestSchema = z.strictObject({
  apiVersion: required(z.literal(manifestApiVersion), 'Group and version of the format', {
    example: manifestApiVersion,
  }),
  kind: required(z.literal(manifestKind), 'Kind of the object', { example: manifestKind }),
  metadata: required(metadata, 'Name, namespace, labels', { example: '{ name: my-cluster }' }),
  spec: required(specSchema, 'What the cluster should be'),
  status: optional(
    z.looseObject({ PostgresClusterStatus: optional(z.string(), 'State of the cluster') }),
    'Written by the operator',
  ),
});

/** A manifest as written: right in shape, without defaults. `null` is the same as absent. */
export type ManifestSource = z.infer<typeof manifestSchema>;
