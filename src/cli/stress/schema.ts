/** The document of `stress`; see ../schema.ts for the rules. */
import { z } from 'zod';

const latency = z
  .object({
    count: z.int(),
    mean: z.number(),
    p50: z.number(),
    p95: z.number(),
    p99: z.number(),
    max: z.number(),
  })
  .nullable();

const errors = z.array(
  z.object({
    code: z.string().describe('SQLSTATE, or a code of the system such as `ECONNREFUSED`'),
    class: z.string().describe('first two characters of an SQLSTATE, a system code as it is'),
    title: z.string().describe('of the class, for people'),
    message: z.string().describe('what the server said most often'),
    count: z.int(),
  }),
);

const verdict = z
  .enum(['passed', 'strained', 'failed'])
  .describe(
    'passed: every client was served; strained: more slowly than wanted, or not at the first attempt; failed: clients without a connection, or failed statements',
  );
const notes = z.array(z.string()).describe('what to know before believing the figures');

const run = z.object({
  endpoint: z.enum(['primary', 'standby', 'pooler', 'pooler-standby']),
  host: z.string(),
  port: z.int(),
  verdict,
  sentence: z.string(),
  notes,
  ramp: z
    .object({
      seconds: z.number(),
      connected: z.int().describe('clients that were connected when the load began'),
      ended: z
        .enum(['all-connected', 'no-more', 'deadline', 'not-needed', 'stopped'])
        .describe('why the load began'),
      errors,
    })
    .describe('before the load, while clients connected'),
  seconds: z.number().describe('how long the load lasted'),
  stopped: z.boolean().describe('it ended before its time'),
  statements: z.int().describe('that were answered'),
  rows: z.int(),
  perSecond: z.number(),
  wantedPerSecond: z.number().nullable().describe('null: as many as possible'),
  latencyMs: latency.describe('of all statements, in milliseconds; null when none was answered'),
  readLatencyMs: latency,
  writeLatencyMs: latency,
  connectLatencyMs: latency.describe('of attempts to connect that worked'),
  lowestConnected: z.int(),
  connectedAtEnd: z.int(),
  failures: z.int(),
  errors,
  longestGapSeconds: z.number().describe('longest time in which no client got an answer'),
  unanswered: z
    .object({ count: z.int(), oldestSeconds: z.number() })
    .describe('statements under way when the load ended'),
  generator: z.object({
    threads: z.int(),
    utilisation: z.number().describe('share of time in which the busiest thread had something to do'),
    cpu: z.number().describe('share of time in which the busiest thread had a processor'),
    delayMs: z.number().describe('how late its timers were at worst'),
  }),
  machine: z.object({
    shared: z.boolean().describe('servers and generator are on the same machine'),
    busy: z.number().describe('share of its processors that was in use'),
  }),
  timeline: z.array(
    z.object({
      second: z.number().describe('since the load began'),
      perSecond: z.number(),
      failuresPerSecond: z.number(),
      p50Ms: z.number().nullable(),
      p95Ms: z.number().nullable(),
      p99Ms: z.number().nullable(),
      connected: z.int(),
      waiting: z.int(),
    }),
  ),
});

export const stressDocument = z.object({
  schema: z.literal(1).describe('version of this document'),
  cluster: z.string().describe('name of the cluster'),
  namespace: z.string().describe('namespace of the cluster'),
  verdict,
  sentence: z.string().describe('the verdict for people'),
  notes,
  interrupted: z.boolean().describe('a signal or --timeout ended it'),
  startedAt: z.iso.datetime().describe('ISO 8601, UTC'),
  load: z
    .object({
      clients: z.int(),
      durationSeconds: z.number(),
      intervalSeconds: z.number().describe('0: as fast as answers come'),
      writeRatio: z.number(),
      connectEachTime: z.boolean(),
      script: z.string().nullable().describe('path of the script; null for the readers'),
      user: z.string(),
      database: z.string(),
    })
    .describe('what was asked for'),
  fill: z
    .object({ rows: z.int(), seed: z.int(), seconds: z.number(), bytes: z.number() })
    .nullable()
    .describe('null without --fill'),
  runs: z.array(run).describe('one, with --compare two: direct, then pooled; empty with --duration 0'),
  report: z.string().nullable().describe('path of the HTML page'),
});

export type StressDocument = z.infer<typeof stressDocument>;
