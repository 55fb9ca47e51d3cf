/**
 * The documents that `--output json` prints. Tools rely on them: keys are added, never renamed or removed,
 * as long as `schema` is 1. Handlers use the types only; tests hold the outputs to the schemas, and
 * docs/reference/json.md is made from them. Nothing loads zod for it at run time.
 */
import { z } from 'zod';

const schema = z.literal(1).describe('version of this document');
const moment = z.iso.datetime().describe('ISO 8601, UTC');
const cluster = z.string().describe('name of the cluster');
const namespace = z.string().describe('namespace of the cluster');
const seconds = z.number().min(0).describe('seconds that the command took');

const address = z.object({ host: z.string(), port: z.int() }).nullable();

const endpoints = z
  .object({ primary: address, standby: address, pooler: address, poolerStandby: address })
  .describe('null for an endpoint that the manifest does not ask for');

const promise = z
  .object({
    mode: z
      .enum(['async', 'sync', 'strict', 'single'])
      .describe('synchronous mode of replication; single: one instance'),
    rpo: z.string().describe('acknowledged writes that a failover may lose'),
    rto: z.string().describe('time without writes at a failover'),
  })
  .describe('what the cluster promises by its manifest');

const verdictWord = z.enum(['healthy', 'degraded', 'down', 'stopped']);

const member = z.object({
  name: z.string(),
  role: z.enum(['primary', 'standby', 'unknown']),
  state: z.enum(['running', 'streaming', 'starting', 'creating', 'stopped', 'failed', 'lost']),
  timeline: z.int().nullable(),
  lagBytes: z.number().nullable().describe('bytes of WAL not received yet; 0 for the primary'),
  lagSeconds: z.number().nullable().describe('age of the last replayed commit while more is left to replay'),
  address: z.string(),
  port: z.int(),
  pendingRestart: z.boolean().describe('a parameter waits for a restart'),
  since: moment.nullable().describe('since when role and state are what they are'),
  synchronous: z.boolean().describe('commits wait for this member'),
  problem: z.string().nullable().describe('what went wrong, if anything did'),
});

export const diagnostic = z.object({
  severity: z.enum(['error', 'warning']),
  code: z.string().describe('stable, kebab-case'),
  path: z.string().describe('dotted path in the manifest'),
  line: z.int().min(1),
  column: z.int().min(1),
  message: z.string(),
  hint: z.string(),
});

const warnings = z.array(diagnostic).describe('findings of the manifest that do not stop it');
const notes = z.array(z.string()).describe('what a person should know, one sentence each');

const step = z.object({
  kind: z.string().describe('kind of the action: `start`, `configure`, `restart-member`...'),
  summary: z.string().describe('what is done'),
  reason: z.string().describe('why'),
  impact: z.enum(['none', 'stall', 'interruption', 'removal']).describe('what clients notice'),
  blockedBy: z.string().nullable().describe('what has to be true first; null: nothing'),
});

export const statusDocument = z.object({
  schema,
  cluster,
  namespace,
  verdict: verdictWord,
  sentence: z.string().describe('the verdict for people'),
  reasons: z.array(z.string()).describe('why the verdict is not healthy'),
  lossIfPrimaryDied: z.object({
    possible: z.boolean().describe('acknowledged writes could be lost'),
    sentence: z.string(),
  }),
  promise,
  version: z.string().describe('version of PostgreSQL that runs'),
  versionWanted: z.string().describe('version that the manifest asks for'),
  members: z.array(member),
  endpoints,
  components: z.array(
    z.object({
      name: z.string(),
      kind: z.enum(['etcd', 'member', 'proxy', 'pooler', 'poolerStandby']),
      running: z.boolean(),
      since: moment.nullable(),
      outdated: z
        .enum(['no', 'reload', 'restart'])
        .describe('what it needs to have the wanted configuration'),
    }),
  ),
  dcs: z
    .object({ voters: z.int(), healthyVoters: z.int() })
    .nullable()
    .describe('the store of the leader key; null when it could not be seen'),
  controlPlane: z
    .object({ running: z.boolean(), since: moment.nullable() })
    .nullable()
    .describe('the resident control plane'),
  notes,
  next: z.array(z.string()).describe('what to do next, in this order'),
  observedAt: moment.describe('when all of this was seen'),
});

export const topologyDocument = z.object({
  schema,
  cluster,
  namespace,
  primary: z.string().nullable(),
  timeline: z.int().nullable().describe('timeline of the primary'),
  members: z.array(member),
  observedAt: moment,
});

export const listDocument = z.object({
  schema,
  clusters: z.array(
    z.object({
      cluster,
      namespace,
      verdict: z
        .enum([...verdictWord.options, 'unknown'])
        .describe('unknown: it could not be observed, see `problem`'),
      version: z.string().nullable(),
      members: z.object({ wanted: z.int(), healthy: z.int() }).nullable(),
      primary: z.string().nullable(),
      problem: z.string().nullable(),
    }),
  ),
});

export const planDocument = z.object({
  schema,
  cluster,
  namespace,
  changes: z.boolean().describe('there is something to do'),
  creates: z.boolean().describe('the cluster does not exist yet'),
  steps: z.array(step).describe('in the order in which `up` takes them'),
  waiting: z.array(z.string()).describe('what only needs time'),
  warnings,
  notes,
});

export const upDocument = z.object({
  schema,
  cluster,
  namespace,
  created: z.boolean(),
  changed: z.boolean(),
  steps: z.array(step).describe('what was done'),
  members: z.array(member),
  endpoints,
  url: z.string().nullable().describe('libpq URI without the password; null while stopped by the manifest'),
  caFile: z.string().nullable().describe("certificate of the cluster's authority"),
  secrets: z
    .array(z.object({ user: z.string(), secret: z.string() }))
    .describe('users with generated passwords'),
  verdict: verdictWord,
  promise,
  warnings,
  notes,
  seconds,
});

export const urlDocument = z.object({
  schema,
  cluster,
  namespace,
  endpoint: z.enum(['primary', 'standby', 'pooler', 'pooler-standby']),
  host: z.string(),
  port: z.int(),
  user: z.string(),
  password: z.string().nullable().describe('null with --no-password'),
  database: z.string(),
  sslmode: z.enum(['verify-full', 'verify-ca']),
  sslrootcert: z.string(),
  url: z.string().describe('libpq URI'),
  jdbc: z.string(),
  environment: z.record(z.string(), z.string()).describe('the variables that libpq reads'),
  poolMode: z.enum(['session', 'transaction']).nullable().describe('null where no pooler is in between'),
  note: z.string().nullable().describe('from where the address can be used; null: from this machine'),
});

export const passwordDocument = z.object({
  schema,
  cluster,
  namespace,
  user: z.string(),
  secret: z.string().describe("name of the Secret in the format's contract"),
  password: z.string(),
});

export const logDocument = z.object({
  schema,
  at: moment,
  component: z.string(),
  text: z.string(),
});

const entry = z.object({
  at: moment,
  actor: z.string().describe("a person's command, or the control plane"),
  event: z.string().describe('stable, kebab-case: `member-lost`, `role-changed`...'),
  subject: z.string(),
  message: z.string(),
  reason: z.string().nullable(),
});

export const eventsDocument = z.object({
  schema,
  cluster,
  namespace,
  events: z.array(entry).describe('oldest first'),
});

const move = {
  schema,
  cluster,
  namespace,
  from: z.string().nullable().describe('null when there was no primary'),
  to: z.string(),
  seconds,
  members: z.array(member),
};

export const switchoverDocument = z.object(move);
export const failoverDocument = z.object(move);

export const restartDocument = z.object({
  schema,
  cluster,
  namespace,
  restarted: z.array(z.string()).describe('members, in the order of their restarts'),
  seconds,
});

export const reinitDocument = z.object({ schema, cluster, namespace, member: z.string(), seconds });

export const downDocument = z.object({ schema, cluster, namespace, seconds });

export const destroyDocument = z.object({
  schema,
  cluster,
  namespace,
  kept: z.array(z.string()).describe('what was left behind on purpose'),
  seconds,
});

export const choresDocument = z.object({
  schema,
  cluster,
  namespace,
  chores: z
    .array(
      z.object({
        kind: z.enum(['backup', 'dump', 'verify']),
        what: z.string(),
        reason: z.string().describe('why it was due'),
        failure: z.string().nullable().describe('null: it was done'),
      }),
    )
    .describe('what was due, in the order in which it was done'),
});

export const setupDocument = z.object({
  schema,
  ready: z.boolean().describe('nothing is missing'),
  found: z.array(z.object({ name: z.string(), version: z.string().nullable() })),
  missing: z.array(
    z.object({
      tool: z.string(),
      package: z
        .string()
        .nullable()
        .describe("Debian's package; null for Patroni, which pgherd unpacks itself"),
    }),
  ),
  notes,
});

export const versionDocument = z.object({ schema, pgherd: z.string(), node: z.string() });

export const errorDocument = z.object({
  schema,
  error: z.object({
    code: z.string().describe('stable, kebab-case; `usage`, `interrupted` and `defect` among them'),
    message: z.string(),
    detail: z.string().nullable(),
    hint: z.string().nullable().describe('the remedy'),
    diagnostics: z.array(diagnostic).optional().describe('with code `manifest-invalid`: every finding'),
  }),
});

export type StatusDocument = z.infer<typeof statusDocument>;
export type MemberDocument = z.infer<typeof member>;
export type TopologyDocument = z.infer<typeof topologyDocument>;
export type ListDocument = z.infer<typeof listDocument>;
export type StepDocument = z.infer<typeof step>;
export type PlanDocument = z.infer<typeof planDocument>;
export type UpDocument = z.infer<typeof upDocument>;
export type UrlDocument = z.infer<typeof urlDocument>;
export type PasswordDocument = z.infer<typeof passwordDocument>;
export type LogDocument = z.infer<typeof logDocument>;
export type EventsDocument = z.infer<typeof eventsDocument>;
export type MoveDocument = z.infer<typeof switchoverDocument>;
export type RestartDocument = z.infer<typeof restartDocument>;
export type ReinitDocument = z.infer<typeof reinitDocument>;
export type DownDocument = z.infer<typeof downDocument>;
export type DestroyDocument = z.infer<typeof destroyDocument>;
export type ChoresDocument = z.infer<typeof choresDocument>;
export type SetupDocument = z.infer<typeof setupDocument>;
export type VersionDocument = z.infer<typeof versionDocument>;
export type DiagnosticDocument = z.infer<typeof diagnostic>;
export type ErrorDocument = z.infer<typeof errorDocument>;
