import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import type { RepositorySpec } from '../../../core/manifest/specBackup.ts';
import { BACKUP_DIRECTORY, REPOSITORY_DIRECTORY } from './layout.ts';
import { repositoryHostName } from './names.ts';

/** A repository of pgBackRest as the pods reach it. */
export interface PodRepository {
  name: string;
  spec: RepositorySpec;
  /** For people. */
  where: string;
  /** Path in the terms of its storage. */
  path: string;
  /** Configuration in the pods in which it is the only one. */
  config: string;
}

/** In the order of the manifest, which is that of the archive's configuration. */
export function repositoriesOf(spec: ClusterSpec): PodRepository[] {
  return spec.backup.repositories.map(repository => ({
    name: repository.name,
    spec: repository,
    config: `${BACKUP_DIRECTORY}/${configKey(repository.name)}`,
    ...placeOf(repository, spec),
  }));
}

/** Key of the Secret that is mounted in BACKUP_DIRECTORY. */
export function configKey(repository: string): string {
  return `repository-${repository}.conf`;
}

export function authorityKey(repository: string): string {
  return `repository-${repository}.crt`;
}

/** The cluster's own repository host is wanted. */
export function wantsRepositoryHost({ backup }: ClusterSpec): boolean {
  return backup.repositories.some(({ kind }) => kind === 'members');
}

export const archives = ({ backup }: ClusterSpec): boolean => backup.repositories.length > 0;

function placeOf(repository: RepositorySpec, spec: ClusterSpec): { where: string; path: string } {
  // Several clusters share a place: each has a directory of its own, found again from its manifest alone.
  const own = `${spec.namespace}/${spec.name}`;
  switch (repository.kind) {
    case 'members':
      return {
        where: `volume of ${repositoryHostName(spec.name)}-0`,
        path: `${REPOSITORY_DIRECTORY}/${spec.name}`,
      };
    case 'directory': {
      const path = `${repository.path.replace(/\/+$/, '')}/${own}`;
      return { where: `${path} in the pods`, path };
    }
    case 's3': {
      const path = `${repository.path.replace(/\/+$/, '')}/${own}`;
      return { where: `s3://${repository.bucket}${path} at ${repository.endpoint}`, path };
    }
    case 'sftp': {
      const path = `${repository.path.replace(/\/+$/, '')}/${own}`;
      return { where: `sftp://${repository.user}@${repository.host}${path}`, path };
    }
  }
}
