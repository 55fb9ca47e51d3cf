/** The documents of the commands about backups; see schema.ts of this room's parent for the rules. */
import { z } from 'zod';

const head = {
  schema: z.literal(1).describe('version of this document'),
  cluster: z.string().describe('name of the cluster'),
  namespace: z.string().describe('namespace of the cluster'),
};
const moment = z.iso.datetime().describe('ISO 8601, UTC');
const seconds = z.number().min(0).describe('seconds that it took');
const type = z.enum(['full', 'differential', 'incremental']);

const set = z.object({
  id: z.string().describe('what `restore --backup` takes'),
  repository: z.string(),
  type,
  startedAt: moment,
  finishedAt: moment,
  needs: z.array(z.string()).describe('backups that it is restored with'),
  timeline: z.int(),
  wal: z
    .object({ first: z.string(), last: z.string() })
    .describe('segments without which it is not consistent'),
  lsn: z.object({ start: z.string(), stop: z.string() }),
  databaseBytes: z.number().describe('size of the data directory'),
  repositoryBytes: z.number().describe('what it takes in the repository with all that it needs'),
  ownBytes: z.number().describe('what it takes by itself'),
  pageErrors: z.boolean().describe('pages had wrong checksums when they were copied'),
});

const dump = z.object({
  id: z.string().describe('its moment'),
  path: z.string().describe('where its files lie'),
  own: z.boolean().describe('false: of another cluster that had this name; never deleted by retention'),
  startedAt: moment,
  finishedAt: moment,
  format: z.enum(['custom', 'plain']).describe('for pg_restore, or SQL for `psql -f`'),
  postgres: z.string(),
  bytes: z.number(),
  files: z.array(
    z.object({
      file: z.string(),
      database: z.string().nullable().describe('null: roles and what else belongs to no database'),
      bytes: z.number(),
      sha256: z.string(),
      tables: z.int().nullable(),
    }),
  ),
});

export const backupsDocument = z.object({
  ...head,
  well: z.boolean().describe('every repository is ready and WAL is archived'),
  troubles: z.array(z.string()).describe('why it is not'),
  repositories: z.array(
    z.object({
      name: z.string(),
      kind: z.enum(['members', 'directory', 's3', 'sftp']),
      where: z.string(),
      state: z.enum(['ready', 'empty', 'full', 'read-only', 'unreachable', 'failing', 'damaged']),
      problem: z.string().nullable(),
      freeBytes: z.number().nullable(),
      encrypted: z.boolean(),
    }),
  ),
  backups: z
    .array(
      set.extend({
        proof: z
          .object({
            outcome: z.enum(['proven', 'damaged']),
            at: moment,
            seconds,
            problems: z.array(z.string()),
          })
          .nullable()
          .describe('what a restore of it has shown; null: none was tried'),
      }),
    )
    .describe('by repository, oldest first'),
  windows: z
    .array(
      z.object({
        repository: z.string(),
        from: moment,
        to: moment.nullable().describe('null: up to the present, as far as WAL is archived'),
        fromLsn: z.string(),
        toLsn: z.string(),
        timeline: z.int(),
        backups: z.array(z.string()),
        missing: z.string().nullable().describe('the WAL segment whose lack ends it'),
      }),
    )
    .describe('moments that can be restored, without gaps in between'),
  archiver: z
    .object({
      primary: z.string(),
      on: z.boolean(),
      lastSegment: z.string().nullable(),
      lastAt: moment.nullable(),
      failingSince: moment.nullable(),
      failure: z.string().nullable(),
      waiting: z.int().describe('segments that wait to be archived'),
      freeBytes: z.number().nullable().describe('left on the volume with the WAL'),
      fullInSeconds: z.number().nullable().describe('until it is full at the present pace'),
    })
    .nullable()
    .describe('null: no primary answers, or no repository is wanted'),
  key: z
    .object({ fingerprint: z.string(), savedAt: moment.nullable() })
    .nullable()
    .describe('null: nothing is encrypted'),
  dumps: z
    .object({
      directory: z.string(),
      enabled: z.boolean().describe('they are taken on schedule'),
      schedule: z.string(),
      fileSystem: z.string().nullable(),
      freeBytes: z.number().nullable(),
      problem: z.string().nullable(),
      dumps: z.array(dump),
    })
    .nullable()
    .describe('logical backups; null: none are wanted, and there are none'),
  waiting: z
    .array(
      z.object({
        id: z.string(),
        createdAt: moment,
        target: z.string(),
        lastCommitAt: z.string().nullable(),
      }),
    )
    .describe('restores that wait for `restore --cutover` or `--discard`; they never expire'),
  cutover: z
    .object({ id: z.string(), target: z.string() })
    .nullable()
    .describe('a cutover that was begun and is not finished: `restore --cutover` finishes it'),
  aside: z
    .array(
      z.object({
        path: z.string(),
        why: z.string().nullable(),
        keepUntil: moment.nullable().describe('when it is deleted; null: by hand only'),
      }),
    )
    .describe('data that were set aside and not deleted yet'),
  observedAt: moment,
});

export const backupDocument = z.object({
  ...head,
  results: z.array(
    z.object({
      repository: z.string(),
      backup: set.nullable().describe('null: it failed'),
      failure: z.object({ code: z.string(), message: z.string() }).nullable(),
      seconds,
    }),
  ),
  seconds,
});

export const dumpDocument = z.object({
  ...head,
  dump,
  expired: z.array(z.string()).describe('dumps that retention did not keep'),
  notExpired: z.string().nullable().describe('why retention could not be applied; null: it was'),
  seconds,
});

export const expireDocument = z.object({
  ...head,
  dryRun: z.boolean(),
  repositories: z.array(
    z.object({
      repository: z.string(),
      backups: z.array(z.string()).describe('what went, or would go'),
      wal: z.array(z.object({ first: z.string(), last: z.string() })),
    }),
  ),
});

export const backupKeyDocument = z.object({
  ...head,
  fingerprint: z.string().describe('tells keys apart; no secret'),
  savedAt: moment.nullable(),
  file: z.string().nullable().describe('where the key was written to'),
  key: z.string().nullable().describe('null with --file'),
});

export type BackupSetDocument = z.infer<typeof set>;
export type BackupsDocument = z.infer<typeof backupsDocument>;
export type BackupDocument = z.infer<typeof backupDocument>;
export type DumpDocument = z.infer<typeof dumpDocument>;
export type ExpireDocument = z.infer<typeof expireDocument>;
export type BackupKeyDocument = z.infer<typeof backupKeyDocument>;
