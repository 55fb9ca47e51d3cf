import { backupSupport } from './supportBackup.ts';
import type { JsonValue } from './yamlTree.ts';

/** How a platform treats a field. `says` completes the sentence that a person reads, in docs and in warnings. */
export interface Treatment {
  how: 'acted' | 'warned' | 'refused';
  /** acted: what is done. warned: what happens instead. refused: why. */
  says: string;
  /** refused: the remedy. */
  hint?: string;
  /** Values that ask for nothing special: no finding for them. */
  harmless?: readonly JsonValue[];
}

const acted = (says: string): Treatment => ({ how: 'acted', says });
const warned = (says: string, harmless: Treatment['harmless'] = []): Treatment => ({
  how: 'warned',
  says,
  harmless,
});
const refused = (says: string, hint: string): Treatment => ({ how: 'refused', says, hint });

const kubernetesKeeps = warned('Kubernetes writes and reads it; it is left alone here');
const noPods = warned(
  'there are no pods here: members are processes of this machine, and the field is left alone',
);
const noServices = warned(
  'there are no Kubernetes services here; endpoints are addresses and ports of this machine',
);
const noContainers = warned('no container runs here: start the program beside the cluster yourself');
const oneDisk = warned('data directories lie in the state directory of pgherd, on its disk');
const noRotation = warned('passwords are not rotated by this version; they stay as generated');
const expose = acted(
  'which endpoints `--listen` opens to other machines; without it all listen on loopback only',
);
const exposePort = acted(
  'the same as the load balancer flag: one of the two opens the endpoint for `--listen`',
);
const ports = warned('endpoints have their standard ports; a port of your choice needs Kubernetes', [0]);
const reserved = acted(
  'shapes shared_buffers, max_connections and the like; processes are not confined to it',
);
const hugepages = warned('huge pages are not set aside here; PostgreSQL tries them if the machine has them');

/**
 * How the local platform treats every field of the format. A field that is warned about or refused speaks for
 * all below it; a field that is acted on does not: its parts are listed one by one. A test holds this against
 * the schema, so a new field cannot be forgotten.
 */
export const localSupport: Readonly<Record<string, Treatment>> = {
  apiVersion: acted('must be the one of the format'),
  kind: acted('must be the one of the format'),
  metadata: acted('who the cluster is'),
  'metadata.name': acted('names the cluster, its members and its files'),
  'metadata.namespace': acted('keeps clusters of the same name apart'),
  'metadata.labels': acted('kept with the cluster'),
  'metadata.labels.*': acted('kept with the cluster'),
  'metadata.annotations': acted('kept with the cluster'),
  'metadata.annotations.*': acted('kept with the cluster'),
  'metadata.generateName': kubernetesKeeps,
  'metadata.finalizers': kubernetesKeeps,
  'metadata.ownerReferences': kubernetesKeeps,
  'metadata.uid': kubernetesKeeps,
  'metadata.resourceVersion': kubernetesKeeps,
  'metadata.generation': kubernetesKeeps,
  'metadata.creationTimestamp': kubernetesKeeps,
  'metadata.deletionTimestamp': kubernetesKeeps,
  'metadata.deletionGracePeriodSeconds': kubernetesKeeps,
  'metadata.managedFields': kubernetesKeeps,
  'metadata.selfLink': kubernetesKeeps,
  spec: acted('what the cluster should be'),
  'spec.teamId': acted('the `team` label of the cluster, nothing more'),
  'spec.numberOfInstances': acted('so many members, each with an address of its own'),
  'spec.dockerImage': warned('no image runs here: the PostgreSQL of this machine is used'),
  'spec.postgresql': acted('version and settings of PostgreSQL'),
  'spec.postgresql.version': acted(
    'this major version; where this machine cannot have it, a new cluster gets the newest there is, and `--strict-version` refuses',
  ),
  'spec.postgresql.parameters': acted('set through Patroni on all members'),
  'spec.postgresql.parameters.*': acted(
    'reloaded, or standbys restarted first; those that pgherd sets itself are refused',
  ),
  'spec.volume': acted('read; see its parts'),
  'spec.volume.size': warned(
    'the size is not enforced (but with `up --isolate`): the data may fill the disk it lies on',
  ),
  'spec.volume.storageClass': oneDisk,
  'spec.volume.selector': oneDisk,
  'spec.volume.subPath': oneDisk,
  'spec.volume.isSubPathExpr': { ...oneDisk, harmless: [false] },
  'spec.volume.iops': oneDisk,
  'spec.volume.throughput': oneDisk,
  'spec.volume.type': oneDisk,
  'spec.users': acted('roles with generated passwords; a role that is no longer listed stays'),
  'spec.users.*': acted('the flags of the role'),
  'spec.databases': acted('created; a database that is no longer listed stays'),
  'spec.databases.*': acted('the owner of the database'),
  'spec.preparedDatabases': acted('created with their schemas and roles'),
  'spec.preparedDatabases.*': acted('created with its schemas and roles'),
  'spec.preparedDatabases.*.defaultUsers': acted('login users for the roles of the database'),
  'spec.preparedDatabases.*.extensions': acted('created in the database'),
  'spec.preparedDatabases.*.extensions.*': acted('the schema of the extension'),
  'spec.preparedDatabases.*.schemas': acted('created in the database'),
  'spec.preparedDatabases.*.schemas.*': acted('created in the database'),
  'spec.preparedDatabases.*.schemas.*.defaultRoles': acted('owner, reader and writer roles of the schema'),
  'spec.preparedDatabases.*.schemas.*.defaultUsers': acted('login users for the roles of the schema'),
  'spec.preparedDatabases.*.secretNamespace': warned(
    'there are no Secrets here: passwords lie in the state directory of the cluster',
  ),
  'spec.usersWithSecretRotation': noRotation,
  'spec.usersWithInPlaceSecretRotation': noRotation,
  'spec.usersIgnoringSecretRotation': noRotation,
  'spec.resources': acted('read; see its parts'),
  'spec.resources.requests': acted('read; see its parts'),
  'spec.resources.requests.cpu': reserved,
  'spec.resources.requests.memory': reserved,
  'spec.resources.requests.hugepages-2Mi': hugepages,
  'spec.resources.requests.hugepages-1Gi': hugepages,
  'spec.resources.limits': acted('read; see its parts'),
  'spec.resources.limits.cpu': reserved,
  'spec.resources.limits.memory': reserved,
  'spec.resources.limits.hugepages-2Mi': hugepages,
  'spec.resources.limits.hugepages-1Gi': hugepages,
  'spec.patroni': acted('settings of Patroni'),
  'spec.patroni.initdb': acted('given to initdb when the cluster is created'),
  'spec.patroni.initdb.*': acted('given to initdb when the cluster is created'),
  'spec.patroni.pg_hba': acted(
    'in the place of our lines for clients; lines that the cluster itself needs stay',
  ),
  'spec.patroni.ttl': acted('set in Patroni'),
  'spec.patroni.loop_wait': acted('set in Patroni'),
  'spec.patroni.retry_timeout': acted('set in Patroni'),
  'spec.patroni.maximum_lag_on_failover': acted('set in Patroni'),
  'spec.patroni.synchronous_mode': acted('set in Patroni; `status` names the promise'),
  'spec.patroni.synchronous_mode_strict': acted('set in Patroni; `status` names the promise'),
  'spec.patroni.synchronous_node_count': acted('set in Patroni'),
  'spec.patroni.failsafe_mode': acted('set in Patroni'),
  'spec.patroni.slots': acted('permanent slots of Patroni'),
  'spec.patroni.slots.*': acted('one permanent slot'),
  'spec.patroni.slots.*.*': acted('its settings'),
  'spec.env': warned('servers run with an environment that pgherd makes; nothing is added to it'),
  'spec.envFrom': warned('servers run with an environment that pgherd makes; nothing is added to it'),
  'spec.clone': refused(
    'this version copies no clusters, and would create an empty one instead',
    'delete `clone` for a new, empty cluster, and load a dump into it',
  ),
  'spec.standby': refused(
    'this version follows no other cluster, and would create an empty one that takes writes instead',
    'delete `standby` for a cluster of its own',
  ),
  'spec.enableConnectionPooler': acted('PgBouncer in front of the primary'),
  'spec.enableReplicaConnectionPooler': acted('PgBouncer in front of the standbys'),
  'spec.connectionPooler': acted('settings of the poolers'),
  'spec.connectionPooler.numberOfInstances': acted('so many PgBouncer processes per endpoint'),
  'spec.connectionPooler.schema': acted('schema of the lookup function'),
  'spec.connectionPooler.user': acted('role the pooler logs in with'),
  'spec.connectionPooler.mode': acted("PgBouncer's pool_mode"),
  'spec.connectionPooler.dockerImage': warned('no image runs here: the PgBouncer of this machine is used'),
  'spec.connectionPooler.maxDBConnections': acted('shared by the processes of an endpoint'),
  'spec.connectionPooler.resources': warned(
    'processes are not confined here: PgBouncer takes the little that it needs',
  ),
  'spec.enableMasterLoadBalancer': expose,
  'spec.enableReplicaLoadBalancer': expose,
  'spec.enableMasterPoolerLoadBalancer': expose,
  'spec.enableReplicaPoolerLoadBalancer': expose,
  'spec.enableMasterNodePort': exposePort,
  'spec.enableReplicaNodePort': exposePort,
  'spec.enableMasterPoolerNodePort': exposePort,
  'spec.enableReplicaPoolerNodePort': exposePort,
  'spec.masterNodePort': ports,
  'spec.replicaNodePort': ports,
  'spec.masterPoolerNodePort': ports,
  'spec.replicaPoolerNodePort': ports,
  'spec.allowedSourceRanges': acted('rules of pg_hba and of the proxy; loopback may always connect'),
  'spec.serviceAnnotations': noServices,
  'spec.masterServiceAnnotations': noServices,
  'spec.replicaServiceAnnotations': noServices,
  'spec.podAnnotations': noPods,
  'spec.tolerations': noPods,
  'spec.nodeAffinity': noPods,
  'spec.topologySpreadConstraints': warned('all members run on this machine: it is the failure they share'),
  'spec.podPriorityClassName': noPods,
  'spec.schedulerName': noPods,
  'spec.spiloRunAsUser': warned(
    'servers run as the user that runs pgherd, or as `postgres` when that is root',
  ),
  'spec.spiloRunAsGroup': warned(
    'servers run as the user that runs pgherd, or as `postgres` when that is root',
  ),
  'spec.spiloFSGroup': warned('files belong to the user the servers run as'),
  'spec.livenessProbe': warned('pgherd watches its processes itself and starts them again'),
  'spec.enableShmVolume': warned('shared memory of this machine is used as it is'),
  'spec.initContainers': noContainers,
  'spec.sidecars': noContainers,
  'spec.additionalVolumes': warned('nothing is mounted: servers see the directories of this machine'),
  'spec.tls': acted('read; see its parts'),
  'spec.tls.secretName': warned(
    "there are no Secrets here: servers use certificates of the cluster's own authority, and clients that verify must trust that one",
    [''],
  ),
  'spec.tls.certificateFile': warned("certificates come from the cluster's own authority"),
  'spec.tls.privateKeyFile': warned("certificates come from the cluster's own authority"),
  'spec.tls.caFile': warned("certificates come from the cluster's own authority"),
  'spec.tls.caSecretName': warned("certificates come from the cluster's own authority"),
  'spec.maintenanceWindows': warned(
    'checked, but this version interrupts only when told to: nothing is scheduled by them',
  ),
  'spec.enableLogicalBackup': acted('pg_dump of each database, and all roles, by the control plane'),
  'spec.logicalBackupSchedule': acted('when; a run that was missed is made up for once'),
  'spec.logicalBackupRetention': acted('older ones are deleted after the next; without it all are kept'),
  ...backupSupport,
  'spec.streams': warned(
    'event streams need their own operator on Kubernetes; no publication or slot is made for them',
  ),
  'spec.init_containers': noContainers,
  'spec.pod_priority_class_name': noPods,
  'spec.useLoadBalancer': expose,
  'spec.replicaLoadBalancer': expose,
  status: warned('the state of the cluster is asked of its servers, see `pgherd status`'),
};
