/**
 * What the Pod Security level "restricted" refuses of a pod (Kubernetes documentation, "Pod Security Standards"), as
 * far as this can be told from the pod itself. Linux pods only.
 */
export function podSecurityOffences(spec: unknown): string[] {
  const pod = mapOf(spec);
  const context = mapOf(pod.securityContext);
  const found = ['hostNetwork', 'hostPID', 'hostIPC']
    .filter(key => pod[key] === true)
    .map(key => `${key}: true`);
  for (const volume of listOf(pod.volumes)) {
    const kinds = Object.keys(volume).filter(key => key !== 'name');
    found.push(...kinds.filter(kind => !VOLUMES.has(kind)).map(kind => `volume ${volume.name}: ${kind}`));
  }
  if (listOf(context.sysctls).length > 0) found.push('sysctls');
  const containers = [
    ...listOf(pod.initContainers),
    ...listOf(pod.containers),
    ...listOf(pod.ephemeralContainers),
  ];
  return [...found, ...containers.flatMap(container => inContainer(container, context))];
}

const VOLUMES = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
]);

function inContainer(container: Fields, pod: Fields): string[] {
  const own = mapOf(container.securityContext);
  const capabilities = mapOf(own.capabilities);
  const either = (key: string) => own[key] ?? pod[key];
  const profile = mapOf(either('seccompProfile')).type;
  const rules: [string, boolean][] = [
    ['privileged', own.privileged !== true],
    ['allowPrivilegeEscalation', own.allowPrivilegeEscalation === false],
    ['capabilities.drop', texts(capabilities.drop).includes('ALL')],
    ['capabilities.add', texts(capabilities.add).every(name => name === 'NET_BIND_SERVICE')],
    ['runAsNonRoot', either('runAsNonRoot') === true],
    ['runAsUser', either('runAsUser') !== 0],
    ['seccompProfile', profile === 'RuntimeDefault' || profile === 'Localhost'],
    ['procMount', own.procMount === undefined || own.procMount === 'Default'],
    ['hostPort', listOf(container.ports).every(port => !port.hostPort)],
  ];
  return rules.filter(([, fine]) => !fine).map(([rule]) => `container ${container.name}: ${rule}`);
}

type Fields = Record<string, unknown>;

function mapOf(value: unknown): Fields {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Fields) : {};
}

function listOf(value: unknown): Fields[] {
  return Array.isArray(value) ? value.map(mapOf) : [];
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
