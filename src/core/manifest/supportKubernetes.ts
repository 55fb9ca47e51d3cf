import { noStandby, refused, type Treatment, warned } from './treatment.ts';

const otherClass = warned(
  'choose a StorageClass (or a VolumeAttributesClass) that has what is wanted: the operator speaks to no cloud',
);
const noRotation = warned('passwords are not rotated by this version; they stay as they are in the Secrets');

const noWalG = refused(
  'a cluster is copied from the pgBackRest repositories of one in the same namespace, and archives of WAL-G cannot be read',
  'delete it, or load a dump into a new cluster',
);

/** What the operator does not do. Every field that is not here, nor below one that is, has its effect. */
export const kubernetesExceptions: Readonly<Record<string, Treatment>> = {
  'spec.volume.iops': otherClass,
  'spec.volume.throughput': otherClass,
  'spec.volume.type': otherClass,
  'spec.usersWithSecretRotation': noRotation,
  'spec.usersWithInPlaceSecretRotation': noRotation,
  'spec.usersIgnoringSecretRotation': noRotation,
  'spec.clone.uid': warned('the cluster to copy is found by its name'),
  'spec.clone.s3_wal_path': noWalG,
  'spec.clone.s3_endpoint': noWalG,
  'spec.clone.s3_access_key_id': noWalG,
  'spec.clone.s3_secret_access_key': noWalG,
  'spec.clone.s3_force_path_style': noWalG,
  'spec.standby': noStandby,
  'spec.backup.logical.directory': warned(
    "dumps go to the volume that the operator's configuration names, or to a claim of their own",
  ),
  'spec.streams': warned('event streams need their own operator; no publication or slot is made for them'),
};
