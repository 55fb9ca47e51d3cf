import type { Treatment } from './supportTable.ts';

const acted = (says: string): Treatment => ({ how: 'acted', says });

/** What one machine does with the fields about backups. */
export const backupSupport: Readonly<Record<string, Treatment>> = {
  'spec.backup': acted('physical backups with pgBackRest, and where logical ones go'),
  'spec.backup.repositories': acted('each is a repository of its own; WAL is archived to all of them'),
  'spec.backup.repositories[].name': acted('names it in commands and reports'),
  'spec.backup.repositories[].members': acted(
    'a directory for each member beside its data, so that losing the data does not lose the copy',
  ),
  'spec.backup.repositories[].directory': acted('a repository in a directory of this machine'),
  'spec.backup.repositories[].directory.path': acted(
    'tried before it is used: fsync, rename, locks, room; the cluster has a directory of its own below it',
  ),
  'spec.backup.repositories[].directory.type': acted("pgBackRest's type of the repository"),
  'spec.backup.repositories[].s3': acted('a repository in a bucket'),
  'spec.backup.repositories[].s3.endpoint': acted('where the service is'),
  'spec.backup.repositories[].s3.bucket': acted('must exist'),
  'spec.backup.repositories[].s3.region': acted('for the signature of requests'),
  'spec.backup.repositories[].s3.path': acted('the cluster has a path of its own below it'),
  'spec.backup.repositories[].s3.pathStyle': acted('how requests name the bucket'),
  'spec.backup.repositories[].s3.verifyTls': acted('false accepts any certificate'),
  'spec.backup.repositories[].s3.caFile': acted('authority that the service is checked against'),
  'spec.backup.repositories[].s3.credentials': acted('read from the file; kept nowhere but for pgBackRest'),
  'spec.backup.repositories[].sftp': acted('a repository on an SFTP server; refused below pgBackRest 2.46'),
  'spec.backup.repositories[].sftp.host': acted('where the server is'),
  'spec.backup.repositories[].sftp.port': acted('where the server is'),
  'spec.backup.repositories[].sftp.user': acted('who logs in'),
  'spec.backup.repositories[].sftp.path': acted('the cluster has a directory of its own below it'),
  'spec.backup.repositories[].sftp.privateKeyFile': acted('must be readable for the servers'),
  'spec.backup.repositories[].sftp.publicKeyFile': acted('must be readable for the servers'),
  'spec.backup.repositories[].sftp.hostFingerprint': acted('another server is refused'),
  'spec.backup.encryption': acted(
    'AES-256; the key is generated and kept with the cluster: save it with `pgherd backup-key`. Decided when a repository is made',
  ),
  'spec.backup.compression': acted('of what is written from now on'),
  'spec.backup.schedule': acted(
    'carried out by the control plane; a run that was missed is made up for once',
  ),
  'spec.backup.schedule.full': acted('full backups of every repository'),
  'spec.backup.schedule.differential': acted('differential backups of every repository'),
  'spec.backup.schedule.incremental': acted('incremental backups of every repository'),
  'spec.backup.schedule.timeZone': acted('when the cron lines are due'),
  'spec.backup.retention': acted('what is older goes after the next backup, WAL included'),
  'spec.backup.retention.full': acted('so many full backups'),
  'spec.backup.retention.days': acted('full backups until one is older than that'),
  'spec.backup.verify': acted('a restore into a scratch directory, replayed to its end and checked'),
  'spec.backup.verify.afterBackup': acted('after these backups'),
  'spec.backup.verify.schedule': acted('the newest backup of each repository'),
  'spec.backup.logical': acted('see its parts'),
  'spec.backup.logical.directory': acted('where dumps are written'),
  'spec.backup.logical.format': acted("pg_dump's format"),
};
