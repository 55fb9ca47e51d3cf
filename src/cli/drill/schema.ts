/** The documents of `pgherd drill --output json`; see schema.ts of this room's parent for the rules. */
import { z } from 'zod';

const ms = z.number().min(0).nullable();
const path = z.object({
  path: z.string(),
  ms: z.number().describe('longest time without an answer'),
  errors: z.int().describe('requests that were refused, or got no clear answer'),
});

const run = z.object({
  at: z.iso.datetime().describe('moment of the injection, UTC'),
  kept: z.boolean().describe('the promise in force was kept'),
  broken: z.array(z.string()).describe('how it was not, gravest first'),
  notes: z.array(z.string()),
  injections: z.array(z.string()).describe('what was done, exactly'),
  weaker: z.array(z.string()).describe('why an injection was weaker than the real fault; empty: it was not'),
  writeOutageMs: z
    .number()
    .describe('longest time without an acknowledgement on any path through an endpoint'),
  readOutageMs: z.number().describe('the same for reads'),
  paths: z.array(path).describe('each way that applications take'),
  wholeAfterMs: ms.describe('time until full redundancy; null: not within the cap'),
  acknowledged: z.int().describe('acknowledged writes'),
  lost: z.int().describe('acknowledged writes that are not on every member'),
  lostBytes: z.number().nullable(),
  lostSeconds: z.number(),
  dualAcknowledged: z.int().describe('writes acknowledged by two primaries'),
  dualPrimaryMs: z.number().describe('longest time in which two members called themselves primary'),
  phantom: z.int().describe('refused writes that are there'),
  duplicate: z.int().describe('writes that are there more than once'),
  unknown: z.int().describe('writes without a clear answer'),
  unknownPresent: z.int().describe('those of them that are there'),
  errors: z.array(
    z.object({
      code: z.string().nullable().describe('SQLSTATE or system code'),
      title: z.string(),
      failed: z.int(),
      unknown: z.int(),
    }),
  ),
  errorsBeyondInFlight: z.int().describe('errors of requests that were not under way at the injection'),
  timeline: z.array(z.object({ afterMs: z.number(), event: z.string(), text: z.string() })),
  directory: z.string().describe('where history.jsonl, report.json and report.html lie'),
});

const summary = z.object({
  n: z.int(),
  missing: z.int().describe('runs without this figure'),
  median: ms,
  p95: ms,
  min: ms,
  max: ms,
});

export const drillDocument = z.object({
  schema: z.literal(1).describe('version of this document'),
  cluster: z.string(),
  namespace: z.string(),
  mode: z.string().nullable().describe('synchronous mode in force'),
  drills: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      title: z.string(),
      promise: z.string(),
      writeBoundMs: ms.describe('longest write outage that is promised; null: none is'),
      readBoundMs: ms,
      kept: z.int().describe('runs in which the promise was kept'),
      writeOutageMs: summary,
      readOutageMs: summary,
      wholeAfterMs: summary,
      runs: z.array(run),
    }),
  ),
  skipped: z.array(z.object({ id: z.string(), name: z.string(), reason: z.string() })),
  ended: z.string().nullable().describe('why the series ended before its end'),
  seconds: z.number(),
});

export const drillListDocument = z.object({
  schema: z.literal(1),
  drills: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      title: z.string(),
      promise: z.string(),
      obstacle: z.string().nullable().describe('why it cannot run on the cluster that was named'),
    }),
  ),
});

export const drillCleanDocument = z.object({
  schema: z.literal(1),
  cluster: z.string(),
  namespace: z.string(),
  done: z.array(z.string()).describe('one sentence for each fault that was taken back'),
});

export type DrillDocument = z.infer<typeof drillDocument>;
export type DrillListDocument = z.infer<typeof drillListDocument>;
export type DrillCleanDocument = z.infer<typeof drillCleanDocument>;
