import { databaseContainer } from '../../../core/manifest/sections/kubernetes.ts';
import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import type { OperatorConfig } from '../config.ts';
import { databaseEnvironmentNames } from './environment.ts';
import { InvalidSpecError, imageOf, poolerImageOf } from './images.ts';
import { serviceName } from './names.ts';
import { DATA_VOLUME, databaseMounts, podVolumes } from './podVolumes.ts';
import { wantedPoolers } from './pooler.ts';

/** What Kubernetes takes for the name of a Service. */
const MAX_NAME = 63;

/** A remark on a manifest that is right by itself. */
export interface Remark {
  path: string;
  message: string;
  hint: string;
}

/**
 * What this operator, with this configuration, cannot do with a manifest that is right by itself (`errors`: nothing
 * of the cluster may be touched), and what will not be as somebody may expect (`warnings`).
 */
export function judgeSpec(
  spec: ClusterSpec,
  config: OperatorConfig,
): { errors: Remark[]; warnings: Remark[] } {
  const poolers = wantedPoolers({ spec });
  const images = [
    attempt(() => imageOf(spec, config)),
    ...(poolers.length === 0 ? [] : [attempt(() => poolerImageOf(spec, config))]),
  ];
  const long = poolers.map(endpoint => serviceName(spec.name, endpoint)).find(name => name.length > MAX_NAME);
  const errors = images.filter(remark => remark !== undefined);
  if (long !== undefined) {
    errors.push({
      path: 'metadata.name',
      message: `the Service ${long} would have ${long.length} characters; Kubernetes takes ${MAX_NAME}`,
      hint: `shorten the name by ${long.length - MAX_NAME}, or leave the poolers out`,
    });
  }
  return {
    errors: [...errors, ...volumeErrors(spec), ...repositoryErrors(spec), ...cloneErrors(spec)],
    warnings: [...userWarnings(spec, config), ...environmentWarnings(spec)],
  };
}

/** Two volumes of one name, or two in one place, make a pod that Kubernetes does not take. */
function volumeErrors(spec: ClusterSpec): Remark[] {
  const own = new Set(podVolumes(spec, []).map(({ name }) => String(name)));
  const places = new Set(databaseMounts(spec, []).map(({ mountPath }) => String(mountPath)));
  const names = new Set([...own, DATA_VOLUME]);
  return spec.kubernetes.additionalVolumes.flatMap(({ name, mountPath }, index) => {
    const path = `spec.additionalVolumes[${index}]`;
    const remarks: Remark[] = [];
    if (names.has(name)) {
      const whose =
        own.has(name) || name === DATA_VOLUME ? 'a volume of the pods themselves' : 'another volume';
      remarks.push({
        path: `${path}.name`,
        message: `${name} is the name of ${whose}`,
        hint: 'choose another',
      });
    }
    if (places.has(mountPath)) {
      const message = `${mountPath} is where the pods themselves have something mounted`;
      remarks.push({ path: `${path}.mountPath`, message, hint: 'choose another' });
    }
    names.add(name);
    return remarks;
  });
}

function cloneErrors({ name, kubernetes: { clone } }: ClusterSpec): Remark[] {
  if (clone?.cluster !== name) return [];
  const message = 'a cluster cannot be born as a copy of itself';
  return [{ path: 'spec.clone.cluster', message, hint: 'give one of the two another name' }];
}

/** Repositories that pods cannot reach. */
function repositoryErrors(spec: ClusterSpec): Remark[] {
  return spec.backup.repositories.flatMap((repository, index): Remark[] => {
    const path = `spec.backup.repositories[${index}]`;
    if (repository.kind === 'sftp') {
      return [
        {
          path: `${path}.sftp`,
          message: 'repositories on SFTP servers are for one machine only',
          hint: 'name a bucket, or a directory on a volume that all members mount',
        },
      ];
    }
    if (repository.kind === 's3' && repository.credentialsSecret === undefined) {
      return [
        {
          path: `${path}.s3.credentialsSecret`,
          message: 'on Kubernetes the credentials of a bucket are in a Secret, and none is named',
          hint: 'make one with the keys `key` and `secret`, and write its name here',
        },
      ];
    }
    if (repository.kind === 'directory' && !isMounted(repository.path, spec)) {
      return [
        {
          path: `${path}.directory.path`,
          message: `no volume is mounted at ${repository.path} in the pods`,
          hint: 'mount one that all members share (NFS, a claim with ReadWriteMany) with additionalVolumes',
        },
      ];
    }
    return [];
  });
}

function isMounted(path: string, { kubernetes }: ClusterSpec): boolean {
  return kubernetes.additionalVolumes.some(
    ({ mountPath, targetContainers }) =>
      (targetContainers.includes('all') || targetContainers.includes(databaseContainer)) &&
      `${path}/`.startsWith(`${mountPath.replace(/\/+$/, '')}/`),
  );
}

/** initdb and the members' own logins look the user up in the image. */
function userWarnings({ kubernetes }: ClusterSpec, config: OperatorConfig): Remark[] {
  const { runAsUser, image } = kubernetes;
  if (runAsUser === undefined || runAsUser === config.pods.runAsUser || image !== undefined) return [];
  return [
    {
      path: 'spec.spiloRunAsUser',
      message: `the image of the operator knows no user ${runAsUser}`,
      hint: `delete it, or write ${config.pods.runAsUser}; an image of your own in dockerImage may have another`,
    },
  ];
}

/** Variables of the format's own image, by which its users reach what a field of the manifest does here. */
const imageVariable =
  /^(SPILO_|WAL_|WALG_|WALE_|CLONE_|STANDBY_|AWS_|USE_WALG|BACKUP_|ALLOW_NOSSL|PGVERSION|PGROOT|HUMAN_ROLE|PAM_)/i;

function environmentWarnings({ kubernetes }: ClusterSpec): Remark[] {
  const own = new Set(databaseEnvironmentNames());
  return kubernetes.env.flatMap(({ name: value }, index) => {
    const name = String(value);
    const path = `spec.env[${index}].name`;
    if (own.has(name.toUpperCase())) {
      return [{ path, message: `${name} is set by the operator`, hint: 'its value is not used: delete it' }];
    }
    if (imageVariable.test(name)) {
      return [
        {
          path,
          message: `${name} speaks to another image`,
          hint: 'the pods have it, and nothing reads it there; see the fields of the manifest instead',
        },
      ];
    }
    return [];
  });
}

function attempt(what: () => unknown): Remark | undefined {
  try {
    what();
    return undefined;
  } catch (error) {
    if (!(error instanceof InvalidSpecError)) throw error;
    return { path: error.path, message: error.message, hint: error.hint ?? '' };
  }
}
