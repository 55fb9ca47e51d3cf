import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import type { DynamicConfig } from '../../../core/topology/observation.ts';
import { dynamicConfig } from '../../../engine/patroni/config.ts';
import { type PatroniPodInput, renderPatroniPod } from '../../../engine/patroni/render.ts';
import { effectiveParameters } from '../../../engine/postgres/tuning.ts';
import type { OperatorConfig } from '../config.ts';
import { cloneBootstrap, cloneFiles } from './clone.ts';
import { hashOf } from './hash.ts';
import type { ObjectsInput } from './input.ts';
import { CLUSTER_LABEL, memberSelector, metaOf, PRIMARY_ROLE, ROLE_LABEL, STANDBY_ROLE } from './labels.ts';
import {
  ARCHIVE_SCRIPT,
  binDirectory,
  DATA_DIRECTORY,
  OWN_TLS,
  SOCKET_DIRECTORY,
  serverTls,
} from './layout.ts';
import { memberConfigName } from './names.ts';
import type { KubeObject } from './object.ts';
import { archives } from './repositories.ts';

/** User of the database image that its servers run as. */
const SYSTEM_USER = 'postgres';

/** A loss of all members costs at most this much of what happened last. Seconds. */
const ARCHIVE_TIMEOUT = '300';

/** Parameters in effect: the manifest's own win. */
export function parametersOf(spec: ClusterSpec): Record<string, string> {
  return { ...effectiveParameters(spec), ...archiving(spec), ...spec.parameters };
}

/** Without repositories nothing is archived, and WAL goes as usual even before the restart that makes it so. */
function archiving(spec: ClusterSpec): Record<string, string> {
  if (!archives(spec)) return { archive_mode: 'off', archive_command: '/bin/true' };
  return {
    archive_mode: 'on',
    archive_command: `sh ${ARCHIVE_SCRIPT} %p`,
    archive_timeout: ARCHIVE_TIMEOUT,
  };
}

/**
 * Patroni's dynamic configuration, as the operator keeps it in the DCS after the cluster was born. Clients reach pods
 * through Services and load balancers, which change addresses: the source ranges are theirs to enforce, and pg_hba
 * asks everybody for TLS and a password.
 */
export function desiredDynamicConfig(spec: ClusterSpec, config: OperatorConfig): DynamicConfig {
  return dynamicConfig({
    spec: { ...spec, allowedSourceRanges: [] },
    parameters: parametersOf(spec),
    systemUsers: [SYSTEM_USER],
    memberNetworks: ['all'],
    defaults: config.patroni,
  });
}

/** ConfigMap with patroni.yml. It holds no password. */
export function memberConfig(input: ObjectsInput): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metaOf(input, memberConfigName(input.spec.name)),
    data: { 'patroni.yml': renderPatroniPod(patroniInput(input)), ...cloneFiles(input.spec) },
  };
}

/** Changes when running pods would have to read patroni.yml anew: its bootstrap section is read at birth only. */
export function memberConfigHash(input: ObjectsInput): string {
  return hashOf(renderPatroniPod({ ...patroniInput(input), dynamic: {}, initdb: {}, clone: undefined }));
}

function patroniInput({ spec, config }: ObjectsInput): PatroniPodInput {
  const { [CLUSTER_LABEL]: _, ...own } = memberSelector(spec.name);
  return {
    scope: spec.name,
    dynamic: desiredDynamicConfig(spec, config),
    initdb: spec.patroni.initdb,
    clone: cloneBootstrap(spec),
    paths: {
      data: DATA_DIRECTORY,
      binDir: binDirectory(spec.version),
      socketDir: SOCKET_DIRECTORY,
      pgpass: '/tmp/.pgpass',
    },
    labels: { own, scope: CLUSTER_LABEL, role: ROLE_LABEL, primary: PRIMARY_ROLE, standby: STANDBY_ROLE },
    tls: OWN_TLS,
    serverTls: serverTls(spec.kubernetes.tls),
  };
}
