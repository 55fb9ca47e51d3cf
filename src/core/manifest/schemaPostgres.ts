import { z } from 'zod';
import { int32, int64, optional, required, stringMap, uint32 } from './schemaField.ts';

/** The parts of `spec` that are about PostgreSQL and Patroni. */

/** Major versions the format knows. */
const knownVersions = ['14', '15', '16', '17', '18'] as const;

export const postgresqlSection = z.strictObject({
  version: required(z.enum(knownVersions), 'PostgreSQL major version, as a string', { example: '"16"' }),
  parameters: optional(stringMap, 'PostgreSQL settings by name; values are strings', {
    example: '{ shared_buffers: "32MB" }',
    fallback: 'none',
  }),
});

export const usersSection = z.record(
  z.string(),
  z
    .array(z.string())
    .nullish()
    .describe(
      'Flags of the role: superuser, inherit, login, createrole, createdb, replication, bypassrls, and their `no…` forms',
    ),
);

export const databasesSection = z.record(z.string(), z.string().describe('Owner of the database'));

const preparedSchema = z.strictObject({
  defaultRoles: optional(z.boolean(), 'Create the owner, reader and writer roles of this schema', {
    fallback: 'true',
  }),
  defaultUsers: optional(z.boolean(), 'Create a login user for each of those roles', { fallback: 'false' }),
});

const preparedDatabase = z.strictObject({
  defaultUsers: optional(z.boolean(), 'Create a login user for each role of the database', {
    fallback: 'false',
  }),
  extensions: optional(stringMap, 'Extension name to the schema it is created in', {
    example: '{ pgcrypto: public }',
  }),
  schemas: optional(
    z.record(z.string(), preparedSchema.nullish().describe('One schema')),
    'Schemas of the database',
    {
      fallback: 'one schema, `data`',
    },
  ),
  secretNamespace: optional(z.string(), 'Namespace of the Secrets of the default users', {
    fallback: 'the namespace of the cluster',
  }),
});

export const preparedDatabasesSection = z.record(
  z.string(),
  preparedDatabase.nullish().describe('One database'),
);

export const patroniSection = z.strictObject({
  initdb: optional(stringMap, 'Options of initdb; read when the cluster is created, never again', {
    example: '{ encoding: "UTF8" }',
  }),
  pg_hba: optional(z.array(z.string()), 'Lines of pg_hba.conf; they replace the default lines', {
    example: '["hostssl all all 10.0.0.0/8 scram-sha-256"]',
    fallback: 'TLS and SCRAM for all users from the allowed source ranges',
  }),
  ttl: optional(uint32, 'Seconds a leader lease lasts; 0 is the default', {
    fallback: 'left to the platform',
  }),
  loop_wait: optional(uint32, 'Seconds between two rounds of Patroni; 0 is the default', {
    fallback: 'left to the platform',
  }),
  retry_timeout: optional(uint32, 'Seconds Patroni retries the DCS and PostgreSQL; 0 is the default', {
    fallback: 'left to the platform',
  }),
  maximum_lag_on_failover: optional(
    int64.min(0),
    'Bytes a standby may lag and still be promoted; 0 is the default',
    {
      fallback: '33554432',
    },
  ),
  synchronous_mode: optional(z.boolean(), 'Acknowledge a commit only when a standby has it', {
    fallback: 'true with two or more instances, otherwise false',
  }),
  synchronous_mode_strict: optional(
    z.boolean(),
    'Stop writes rather than acknowledge them without a standby',
    {
      fallback: 'false',
    },
  ),
  synchronous_node_count: optional(uint32, 'Standbys that must have a commit', { fallback: '1' }),
  failsafe_mode: optional(z.boolean(), 'Keep the primary while the DCS is away, if all members agree', {
    fallback: 'left to the platform',
  }),
  slots: optional(
    z.record(z.string(), stringMap.describe('One slot: type, database, plugin')),
    'Replication slots that survive a failover, by name',
    {
      example: '{ events: { type: logical, database: app, plugin: pgoutput } }',
    },
  ),
});

export const cloneSection = z.strictObject({
  cluster: required(z.string().min(1), 'Name of the cluster to copy'),
  uid: optional(z.string(), 'UID of that cluster, part of the path of its archive'),
  timestamp: optional(z.string(), 'Point in time to recover to, RFC 3339 with offset', {
    example: '"2026-01-31T12:40:33+01:00"',
  }),
  s3_wal_path: optional(z.string(), 'Path of the archive'),
  s3_endpoint: optional(z.string(), 'Address of the object store'),
  s3_access_key_id: optional(z.string(), 'Access key, in clear text'),
  s3_secret_access_key: optional(z.string(), 'Secret key, in clear text'),
  s3_force_path_style: optional(z.boolean(), 'Bucket in the path instead of the host name'),
});

export const standbySection = z.strictObject({
  s3_wal_path: optional(z.string(), 'Archive in S3 to follow'),
  gs_wal_path: optional(z.string(), 'Archive in Google Cloud Storage to follow'),
  standby_host: optional(z.string(), 'Host of the primary to follow'),
  standby_port: optional(z.string(), 'Port of that host, as a string', {
    example: '"5432"',
    fallback: '5432',
  }),
  standby_primary_slot_name: optional(z.string(), 'Replication slot on that host'),
});

const streamTable = z.strictObject({
  eventType: required(z.string(), 'Event type'),
  recoveryEventType: optional(z.string(), 'Event type of recovery'),
  ignoreRecovery: optional(z.boolean(), 'Do not write failed events to the recovery type'),
  idColumn: optional(z.string(), 'Column of the id'),
  payloadColumn: optional(z.string(), 'Column of the payload'),
});

export const streamSection = z.strictObject({
  applicationId: required(z.string(), 'Name of the application'),
  database: required(z.string(), 'Database to stream from'),
  tables: required(z.record(z.string(), streamTable.describe('One table')), 'Tables to stream'),
  filter: optional(stringMap, 'Filter per table'),
  batchSize: optional(uint32, 'Events per batch'),
  cpu: optional(z.string(), 'CPU request'),
  memory: optional(z.string(), 'Memory request'),
  enableRecovery: optional(z.boolean(), 'Write failed events to a recovery type'),
});

export const nodePort = int32.min(0).max(65_535);
