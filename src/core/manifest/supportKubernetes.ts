import { noClone, noStandby, type Treatment, warned } from './treatment.ts';

const otherClass = warned(
  'choose a StorageClass (or a VolumeAttributesClass) that has what is wanted: the operator speaks to no cloud',
);
const noRotation = warned('passwords are not rotated by this version; they stay as they are in the Secrets');

/** What the operator does not do. Every field that is not here, nor below one that is, has its effect. */
export const kubernetesExceptions: Readonly<Record<string, Treatment>> = {
  'spec.volume.iops': otherClass,
  'spec.volume.throughput': otherClass,
  'spec.volume.type': otherClass,
  'spec.usersWithSecretRotation': noRotation,
  'spec.usersWithInPlaceSecretRotation': noRotation,
  'spec.usersIgnoringSecretRotation': noRotation,
  'spec.clone': noClone,
  'spec.standby': noStandby,
  'spec.maintenanceWindows': warned(
    'checked, but changes that need a restart are made when the manifest is applied: apply it in the window',
  ),
  'spec.backup.logical.directory': warned(
    "dumps go to the volume that the operator's configuration names, or to a claim of their own",
  ),
  'spec.streams': warned('event streams need their own operator; no publication or slot is made for them'),
};
