/** The repositories that a manifest comes to on this machine: names, places, and what pgBackRest needs of each. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import type { RepositorySpec, S3Spec } from '../../../core/manifest/specBackup.ts';
import type { RepositoryConfig } from '../../../engine/pgbackrest/config.ts';
import { knowsSftp } from '../../../engine/pgbackrest/versions.ts';
import { codeOf, PgherdError, RefusedError } from '../../../lib/errors.ts';
import { memberName, type Paths } from '../layout.ts';
import type { ClusterRecord } from '../record.ts';
import { backupPaths } from './paths.ts';

export interface Repository {
  /** `nas`, `members/demo-0`. */
  name: string;
  spec: RepositorySpec;
  /** Whose copy it is. */
  member: string | undefined;
  /** For people. */
  where: string;
  /** Directory on this machine that is pgBackRest's repository; undefined: it is elsewhere. */
  directory: string | undefined;
  /** Path in the terms of its storage. */
  path: string;
}

/** In the order of the manifest. */
export function repositoriesOf(spec: ClusterSpec, paths: Paths): Repository[] {
  return spec.backup.repositories.flatMap(repository => expand(repository, spec, paths));
}

function expand(repository: RepositorySpec, spec: ClusterSpec, paths: Paths): Repository[] {
  // Several clusters share a place: each has a directory of its own, found again from its manifest alone.
  const own = join(spec.namespace, spec.name);
  const { name } = repository;
  switch (repository.kind) {
    case 'members':
      return Array.from({ length: spec.instances }, (_, n) => {
        const member = memberName(spec, n);
        const directory = backupPaths(paths).copy(member);
        return {
          name: `${name}/${member}`,
          spec: repository,
          member,
          where: directory,
          directory,
          path: directory,
        };
      });
    case 'directory': {
      const directory = join(repository.path, own);
      return [{ name, spec: repository, member: undefined, where: directory, directory, path: directory }];
    }
    case 's3': {
      const path = join(repository.path, own);
      const where = `s3://${repository.bucket}${path} at ${repository.endpoint}`;
      return [{ name, spec: repository, member: undefined, where, directory: undefined, path }];
    }
    case 'sftp': {
      const path = join(repository.path, own);
      const where = `sftp://${repository.user}@${repository.host}${path}`;
      return [{ name, spec: repository, member: undefined, where, directory: undefined, path }];
    }
  }
}

/** Refuses what this machine's pgBackRest or network cannot do, before anything is touched. */
export function checkRepositories(spec: ClusterSpec, record: ClusterRecord): void {
  for (const { kind, name } of spec.backup.repositories) {
    const { pgbackrestVersion } = record.programs;
    if (kind === 'sftp' && !knowsSftp(pgbackrestVersion)) {
      throw new RefusedError({
        code: 'repository-impossible',
        message: `the repository "${name}" is on an SFTP server, and pgBackRest ${pgbackrestVersion} knows none (2.46 does)`,
        hint: 'mount the directory of the server and name it as a directory, or use Debian 13',
      });
    }
    if ((kind === 'sftp' || kind === 's3') && record.isolated) {
      throw new RefusedError({
        code: 'repository-impossible',
        message: `the repository "${name}" is outside, and isolated members reach nothing outside their own network`,
        hint: 'use a directory, or a cluster without --isolate',
      });
    }
  }
}

/**
 * Refuses a new cluster where a directory of its repositories holds the backups of another one of this name: they
 * are somebody's only copy, perhaps, and are never written over. Credentials that cannot be read are refused as well.
 */
export async function refuseTaken(spec: ClusterSpec, paths: Paths): Promise<void> {
  for (const repository of repositoriesOf(spec, paths)) {
    const { directory, name, spec: wanted } = repository;
    if (wanted.kind === 's3') await readCredentials(wanted, name);
    if (wanted.kind !== 'directory' || directory === undefined) continue;
    const list = join(directory, 'archive', spec.name, 'archive.info');
    if ((await stat(list).catch(() => undefined)) === undefined) continue;
    throw new RefusedError({
      code: 'repository-taken',
      message: `${directory} holds the backups of an earlier cluster ${spec.namespace}/${spec.name}`,
      hint: `bring that cluster back with \`pgherd restore --manifest FILE --from ${name}\`, or move the directory away`,
    });
  }
}

/** What pgBackRest needs of it. `fileSystem`: of a directory, as its mount is of; undefined: not known. */
export async function configOf(
  repository: Repository,
  spec: ClusterSpec,
  passphrase: string | undefined,
  fileSystem: string | undefined,
): Promise<RepositoryConfig> {
  const own = { path: repository.path, passphrase, retention: spec.backup.retention };
  const { spec: wanted } = repository;
  switch (wanted.kind) {
    case 'members':
      return { ...own, storage: { type: 'posix' } };
    case 'directory': {
      const shared = fileSystem !== undefined && /^(cifs|smb3|smbfs)$/.test(fileSystem);
      const type = wanted.type === 'auto' ? (shared ? 'cifs' : 'posix') : wanted.type;
      return { ...own, storage: { type } };
    }
    case 's3': {
      const { endpoint, bucket, region, pathStyle, verifyTls, caFile } = wanted;
      const secret = await readCredentials(wanted, repository.name);
      return {
        ...own,
        storage: { type: 's3', endpoint, bucket, region, pathStyle, verifyTls, caFile, ...secret },
      };
    }
    case 'sftp': {
      const { host, port, user, privateKeyFile, publicKeyFile, hostFingerprint } = wanted;
      return {
        ...own,
        storage: { type: 'sftp', host, port, user, privateKeyFile, publicKeyFile, hostFingerprint },
      };
    }
  }
}

const credentials = z.strictObject({ key: z.string().min(1), secret: z.string().min(1) });

async function readCredentials(
  { credentials: path }: S3Spec,
  name: string,
): Promise<{ key: string; secret: string }> {
  if (path === undefined) {
    throw new RefusedError({
      code: 'credentials-missing',
      message: `the credentials of "${name}" are in a Secret, which one machine does not have`,
      hint: 'write the path of a file with `key: …` and `secret: …` in `credentials` besides',
    });
  }
  try {
    return credentials.parse(parse(await readFile(path, 'utf8')));
  } catch (cause) {
    const missing = codeOf(cause) === 'ENOENT';
    // What stands in the file is secret: the cause is not passed on.
    throw new PgherdError({
      code: 'credentials-unreadable',
      message: missing
        ? `the credentials of "${name}" are not there: ${path}`
        : `the credentials of "${name}" cannot be read from ${path}`,
      hint: 'the file has two lines, `key: …` and `secret: …`, and is readable for whoever runs pgherd',
    });
  }
}
