import type { KubernetesPart } from '../../../core/manifest/specKubernetes.ts';
import { PATRONI_PORT } from '../../../engine/patroni/config.ts';
import type { ObjectsInput } from './input.ts';
import { DATA_DIRECTORY } from './layout.ts';
import { credentialsName, POSTGRES_PORT } from './names.ts';

const field = (name: string, fieldPath: string): KubernetesPart => ({
  name,
  valueFrom: { fieldRef: { fieldPath } },
});

const text = (name: string, value: string): KubernetesPart => ({ name, value });

/** A key of a user's Secret. */
export function fromSecret(name: string, secret: string, key: 'username' | 'password'): KubernetesPart {
  return { name, valueFrom: { secretKeyRef: { name: secret, key } } };
}

export function credentials({ spec, config }: ObjectsInput, username: string): string {
  return credentialsName(config.secretNameTemplate, spec.name, username);
}

/** Environment of the database container: ours, then the manifest's variables of other names. */
export function databaseEnvironment(input: ObjectsInput): KubernetesPart[] {
  const own = ownEnvironment(credentials(input, 'postgres'), credentials(input, 'standby'));
  return [...own, ...notTaken(input.spec.kubernetes.env, own)];
}

/** Names that are ours, in capitals. */
export function databaseEnvironmentNames(): string[] {
  return ownEnvironment('', '').map(({ name }) => String(name));
}

function ownEnvironment(superuser: string, replication: string): KubernetesPart[] {
  return [
    field('POD_NAME', 'metadata.name'),
    field('POD_NAMESPACE', 'metadata.namespace'),
    field('POD_IP', 'status.podIP'),
    text('PGDATA', DATA_DIRECTORY),
    field('PATRONI_NAME', 'metadata.name'),
    field('PATRONI_KUBERNETES_NAMESPACE', 'metadata.namespace'),
    field('PATRONI_KUBERNETES_POD_IP', 'status.podIP'),
    text('PATRONI_POSTGRESQL_CONNECT_ADDRESS', `$(POD_IP):${POSTGRES_PORT}`),
    text('PATRONI_RESTAPI_CONNECT_ADDRESS', `$(POD_IP):${PATRONI_PORT}`),
    fromSecret('PATRONI_SUPERUSER_USERNAME', superuser, 'username'),
    fromSecret('PATRONI_SUPERUSER_PASSWORD', superuser, 'password'),
    fromSecret('PATRONI_REPLICATION_USERNAME', replication, 'username'),
    fromSecret('PATRONI_REPLICATION_PASSWORD', replication, 'password'),
  ];
}

/** What a sidecar gets without asking, by the format; its own variables win. */
export function sidecarEnvironment(input: ObjectsInput, own: KubernetesPart[]): KubernetesPart[] {
  const superuser = credentials(input, 'postgres');
  const given = [
    field('POD_NAME', 'metadata.name'),
    field('POD_NAMESPACE', 'metadata.namespace'),
    fromSecret('POSTGRES_USER', superuser, 'username'),
    fromSecret('POSTGRES_PASSWORD', superuser, 'password'),
  ];
  return [...notTaken(given, own), ...own];
}

/** Sources of variables; the later wins, and `env` over all of them. */
export function environmentSources({ spec, config }: ObjectsInput): KubernetesPart[] {
  const { environmentConfigMap, environmentSecret } = config.pods;
  return [
    ...(environmentConfigMap === undefined ? [] : [{ configMapRef: { name: environmentConfigMap } }]),
    ...(environmentSecret === undefined ? [] : [{ secretRef: { name: environmentSecret } }]),
    ...spec.kubernetes.envFrom,
  ];
}

/** Names of variables are compared without case, as the format does. */
export function notTaken(variables: KubernetesPart[], by: KubernetesPart[]): KubernetesPart[] {
  const taken = new Set(by.map(({ name }) => String(name).toUpperCase()));
  return variables.filter(({ name }) => !taken.has(String(name).toUpperCase()));
}
