/** What `spec.backup` and the fields about logical backups come to, every default filled in. */

export interface BackupSpec {
  /** Empty: no physical backups, and no archive. */
  repositories: RepositorySpec[];
  encryption: boolean;
  compression: 'zst' | 'lz4' | 'gz' | 'none';
  schedule: BackupSchedule;
  /** `full`: so many full backups. `days`: every moment of so many days. */
  retention: { by: 'full' | 'days'; amount: number };
  verify: { afterBackup: 'full' | 'all' | 'never'; schedule: string | undefined };
  logical: LogicalBackupSpec;
}

/** Cron lines of five fields; undefined: never. */
export interface BackupSchedule {
  full: string | undefined;
  differential: string | undefined;
  incremental: string | undefined;
  /** Name of the IANA data base; undefined: the machine's own. Holds for every cron line of the backups. */
  timeZone: string | undefined;
}

export type RepositorySpec = { name: string } & (
  | { kind: 'members' }
  | { kind: 'directory'; path: string; type: 'auto' | 'posix' | 'cifs' }
  | ({ kind: 's3' } & S3Spec)
  | ({ kind: 'sftp' } & SftpSpec)
);

export interface S3Spec {
  endpoint: string;
  bucket: string;
  region: string;
  path: string;
  pathStyle: boolean;
  verifyTls: boolean;
  caFile: string | undefined;
  /** Path of a file with `key` and `secret`, for one machine. */
  credentials: string | undefined;
  /** Name of a Secret with `key`, `secret` and perhaps `ca.crt`, for Kubernetes. */
  credentialsSecret: string | undefined;
}

export interface SftpSpec {
  host: string;
  port: number;
  user: string;
  path: string;
  privateKeyFile: string;
  publicKeyFile: string | undefined;
  hostFingerprint: string;
}

export interface LogicalBackupSpec {
  enabled: boolean;
  schedule: string;
  /** undefined: kept for ever. */
  retention: { amount: number; unit: 'day' | 'week' | 'month' | 'year' } | undefined;
  /** undefined: the platform chooses a place beside the cluster. */
  directory: string | undefined;
  format: 'custom' | 'plain';
}
