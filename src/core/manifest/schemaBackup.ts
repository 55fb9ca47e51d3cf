import { z } from 'zod';
import { anyObject, int32, optional, required } from './schemaField.ts';

/** `spec.backup`: our own part of the format; logical backups have the format's fields besides. */

const directory = z.strictObject({
  path: required(z.string().min(1), 'Absolute path; a mounted share is as good as a disk', {
    example: '/mnt/backups',
  }),
  type: optional(
    z.enum(['auto', 'posix', 'cifs']),
    'How the file system behaves; `cifs` does without what SMB shares cannot do',
    { fallback: 'auto: asked of the mount' },
  ),
});

const s3 = z.strictObject({
  endpoint: required(z.string().min(1), 'Host of the service, with a port if it is not 443', {
    example: 's3.eu-central-1.amazonaws.com',
  }),
  bucket: required(z.string().min(1), 'Bucket', { example: 'backups' }),
  region: optional(z.string(), 'Region', { fallback: 'us-east-1' }),
  path: optional(z.string(), 'Path inside the bucket', { fallback: '/pgherd' }),
  pathStyle: optional(z.boolean(), 'Bucket in the path instead of the host name', { fallback: 'true' }),
  verifyTls: optional(z.boolean(), 'The certificate of the service must be valid', { fallback: 'true' }),
  caFile: optional(z.string(), 'Authority of the certificate, where the machine does not know it'),
  credentials: optional(
    z.string().min(1),
    'On one machine, where it is required: file with the lines `key: …` and `secret: …`',
    { example: '/etc/pgherd/s3.yaml' },
  ),
  credentialsSecret: optional(
    z.string().min(1),
    'On Kubernetes, where it is required: Secret with `key`, `secret` and, for an authority of its own, `ca.crt`',
    { example: 's3-backups' },
  ),
});

const sftp = z.strictObject({
  host: required(z.string().min(1), 'Host of the server', { example: 'backup.example.org' }),
  port: optional(int32.min(1).max(65_535), 'Its port', { fallback: '22' }),
  user: required(z.string().min(1), 'User there', { example: 'pgherd' }),
  path: required(z.string().min(1), 'Path there', { example: '/srv/pgherd' }),
  privateKeyFile: required(z.string().min(1), 'Private key without a passphrase'),
  publicKeyFile: optional(z.string(), 'Public key, where the server asks for it'),
  hostFingerprint: required(z.string().min(1), "SHA-256 of the server's host key, in hexadecimal digits"),
});

const repository = z.strictObject({
  name: required(z.string().min(1), 'What commands and reports call it', { example: 'nas' }),
  members: optional(anyObject, 'A copy for each member, `{}`', { example: '{}' }),
  directory: optional(directory, 'A directory, a share included', { example: '{ path: /mnt/backups }' }),
  s3: optional(s3, 'A bucket of an S3-compatible service'),
  sftp: optional(sftp, 'A directory on an SFTP server (pgBackRest 2.46 or newer)'),
});

const schedule = z.strictObject({
  full: optional(z.string(), 'Everything, as a cron line of five fields', { fallback: '0 1 * * 0' }),
  differential: optional(z.string(), 'What has changed since the last full one', {
    fallback: '0 1 * * 1-6',
  }),
  incremental: optional(z.string(), 'What has changed since the last one of any kind', { fallback: 'never' }),
  timeZone: optional(z.string(), 'Time zone of the cron lines, logical backups included', {
    example: 'Europe/Berlin',
    fallback: 'that of the machine',
  }),
});

const retention = z.strictObject({
  full: optional(int32.min(1), 'Full backups that are kept, with all that belongs to them', {
    fallback: '2',
  }),
  days: optional(int32.min(1), 'Instead: every moment of so many days can be restored', { example: '14' }),
});

const verify = z.strictObject({
  afterBackup: optional(
    z.enum(['full', 'all', 'never']),
    'After which backups a restore is tried in a scratch directory',
    {
      fallback: 'full',
    },
  ),
  schedule: optional(z.string(), 'Tries one at these times besides, cron', { fallback: 'never' }),
});

const logical = z.strictObject({
  directory: optional(z.string(), 'Absolute path that logical backups are written to', {
    example: '/mnt/share/pg',
    fallback: 'a directory of the cluster',
  }),
  format: optional(z.enum(['custom', 'plain']), 'For pg_restore, or SQL for `psql -f`', {
    fallback: 'custom',
  }),
});

export const backupSection = z.strictObject({
  repositories: optional(z.array(repository), 'Where backups and WAL go; `[]`: no physical backups', {
    example: '[{ name: nas, directory: { path: /mnt/backups } }]',
    fallback: 'one named `members` with a copy for each member',
  }),
  encryption: optional(z.boolean(), 'Encrypt with a key that is kept with the cluster', { fallback: 'true' }),
  compression: optional(z.enum(['zst', 'lz4', 'gz', 'none']), 'How backups and WAL are compressed', {
    fallback: 'zst',
  }),
  schedule: optional(schedule, 'When physical backups are taken'),
  retention: optional(retention, 'How long physical backups are kept'),
  verify: optional(verify, 'When backups are proven by a restore'),
  logical: optional(logical, 'Where and how logical backups are written'),
});
