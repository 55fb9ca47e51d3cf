import { z } from 'zod';
import { anyObject, int32, int64, optional, required, stringMap } from './schemaField.ts';

/**
 * Kubernetes' own types as far as the format embeds them. They grow with each Kubernetes release, so unknown
 * keys pass: the API server judges them. What is listed here is checked, because a slip in it is common.
 */

const keySelector = z.looseObject({
  name: optional(z.string(), 'Name of the object'),
  key: required(z.string(), 'Key inside the object'),
  optional: optional(z.boolean(), 'Whether the object may be missing'),
});

export const envVar = z.looseObject({
  name: required(z.string().min(1), 'Name of the variable', { example: 'TZ' }),
  value: optional(z.string(), 'Value, as a string', { example: '"Europe/Berlin"' }),
  valueFrom: optional(
    z.looseObject({
      configMapKeyRef: optional(keySelector, 'Key of a ConfigMap'),
      secretKeyRef: optional(keySelector, 'Key of a Secret'),
      fieldRef: optional(anyObject, 'Field of the pod'),
      resourceFieldRef: optional(anyObject, 'Resource of the container'),
    }),
    'Source of the value',
  ),
});

const sourceRef = z.looseObject({
  name: optional(z.string(), 'Name of the object'),
  optional: optional(z.boolean(), 'Whether the object may be missing'),
});

export const envFromSource = z.looseObject({
  prefix: optional(z.string(), 'Put before each name'),
  configMapRef: optional(sourceRef, 'ConfigMap whose keys become variables'),
  secretRef: optional(sourceRef, 'Secret whose keys become variables'),
});

export const toleration = z.looseObject({
  key: optional(z.string(), 'Taint key'),
  operator: optional(z.enum(['Exists', 'Equal', 'Lt', 'Gt']), 'How key and value are compared'),
  value: optional(z.string(), 'Taint value'),
  effect: optional(z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']), 'Taint effect'),
  tolerationSeconds: optional(int64, 'How long NoExecute is tolerated'),
});

const nodeSelectorTerm = z.looseObject({
  matchExpressions: optional(z.array(anyObject), 'Conditions on labels of the node'),
  matchFields: optional(z.array(anyObject), 'Conditions on fields of the node'),
});

export const nodeAffinity = z.looseObject({
  requiredDuringSchedulingIgnoredDuringExecution: optional(
    z.looseObject({ nodeSelectorTerms: required(z.array(nodeSelectorTerm), 'Any of these must match') }),
    'Conditions a node must meet',
  ),
  preferredDuringSchedulingIgnoredDuringExecution: optional(
    z.array(
      z.looseObject({
        weight: required(z.int().min(1).max(100), 'Weight of the preference'),
        preference: required(nodeSelectorTerm, 'Condition that is preferred'),
      }),
    ),
    'Conditions a node should meet',
  ),
});

export const labelSelector = z.looseObject({
  matchLabels: optional(stringMap, 'Labels that must be equal'),
  matchExpressions: optional(
    z.array(
      z.looseObject({
        key: required(z.string(), 'Label key'),
        operator: required(z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']), 'How it is compared'),
        values: optional(z.array(z.string()), 'Values to compare with'),
      }),
    ),
    'Conditions on labels',
  ),
});

export const topologySpreadConstraint = z.looseObject({
  maxSkew: required(int32, 'How uneven the spread may be'),
  topologyKey: required(z.string(), 'Node label that makes a domain'),
  whenUnsatisfiable: required(
    z.enum(['DoNotSchedule', 'ScheduleAnyway']),
    'What to do when it cannot be met',
  ),
  labelSelector: optional(labelSelector, 'Pods that are counted'),
});

export const probe = z.looseObject({
  exec: optional(z.looseObject({ command: optional(z.array(z.string()), 'Command') }), 'Command to run'),
  httpGet: optional(anyObject, 'HTTP request to make'),
  tcpSocket: optional(anyObject, 'Port to connect to'),
  grpc: optional(anyObject, 'gRPC health check'),
  initialDelaySeconds: optional(int32, 'Seconds before the first probe'),
  periodSeconds: optional(int32, 'Seconds between probes'),
  timeoutSeconds: optional(int32, 'Seconds a probe may take'),
  successThreshold: optional(int32, 'Successes in a row that count'),
  failureThreshold: optional(int32, 'Failures in a row that count'),
});

const containerShape = {
  name: required(z.string().min(1), 'Name of the container', { example: 'exporter' }),
  image: optional(z.string(), 'Image to run', { example: 'registry.example.com/exporter:1.0' }),
  ports: optional(z.array(anyObject), 'Ports the container listens on'),
  env: optional(z.array(envVar), 'Environment variables'),
  envFrom: optional(z.array(envFromSource), 'Sources of environment variables'),
  command: optional(z.array(z.string()), 'Entry point'),
  args: optional(z.array(z.string()), 'Arguments of the entry point'),
  volumeMounts: optional(z.array(anyObject), 'Volumes mounted into the container'),
  securityContext: optional(anyObject, 'Security settings of the container'),
};

export const initContainer = z.looseObject({
  ...containerShape,
  resources: optional(anyObject, 'Resources of the container'),
});

/** The same as a container, but its resources are written like those of the cluster: quantities as strings. */
export const sidecar = z.looseObject({
  ...containerShape,
  resources: optional(anyObject, 'Resources of the sidecar'),
});
