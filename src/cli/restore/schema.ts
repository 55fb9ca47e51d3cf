/** The document that `restore --output json` prints. */
import { z } from 'zod';

const moment = z.iso.datetime().describe('ISO 8601, UTC');

const scratch = z.object({
  id: z.string().describe('what --cutover and --discard take'),
  createdAt: moment,
  directory: z.string(),
  socketDirectory: z
    .string()
    .describe('where its server listens while it runs, on port 5432, for user postgres'),
  repository: z.string(),
  backup: z.string().describe('the backup that it began with'),
  target: z.string(),
  lastCommitAt: z
    .string()
    .nullable()
    .describe('of the last commit that it holds; null: none since the backup'),
  lsn: z.string().nullable().describe('where its WAL ends'),
  timeline: z.int().nullable().describe('the timeline that begins there'),
  endOfArchive: z
    .boolean()
    .describe('no commit later than that was archived, although a later time was asked for'),
  copySeconds: z.number().min(0),
  replaySeconds: z.number().min(0),
});

export const restoreDocument = z.object({
  schema: z.literal(1).describe('version of this document'),
  cluster: z.string().describe('name of the cluster'),
  namespace: z.string().describe('namespace of the cluster'),
  action: z.enum(['restored', 'cutover', 'founded', 'tables', 'loaded', 'listed', 'discarded']),
  restore: scratch.nullable().describe('null where nothing was restored'),
  databases: z.array(z.object({ name: z.string(), bytes: z.number() })),
  ledgers: z
    .array(
      z.object({
        database: z.string(),
        rows: z.int(),
        lastWrittenAt: z.string().nullable(),
        broken: z.int().describe('rows at which a chain of hashes breaks'),
      }),
    )
    .describe('ledgers of acknowledged writes that were found and checked'),
  damage: z
    .array(z.object({ repository: z.string(), backup: z.string(), problem: z.string() }))
    .describe('backups that were tried before and could not be used'),
  cutover: z
    .object({
      primary: z.string(),
      aside: z.array(z.string()).describe('paths of the old data'),
      keepUntil: moment,
      seconds: z.number().min(0).describe('without a primary'),
    })
    .nullable(),
  tables: z.array(
    z.object({
      database: z.string(),
      schema: z.string(),
      table: z.string(),
      into: z.string().describe('the schema that it is in now'),
      rows: z.int(),
    }),
  ),
  loaded: z
    .object({
      dump: z.string(),
      databases: z.array(z.object({ name: z.string(), into: z.string(), tables: z.int() })),
    })
    .nullable()
    .describe('with --dump: what was loaded of a logical backup'),
  waiting: z.array(scratch).describe('with --list: restores that wait for their cutover'),
  seconds: z.number().min(0).describe('seconds that the command took'),
});

export type RestoreDocument = z.infer<typeof restoreDocument>;
