/**
 * The results of drills as data: every run of every fault on every system. A series for each load: through all endpoints
 * in bench/results/drills.json, through the pooler alone in drills-pooler.json.
 */
import { z } from 'zod';
import { machineFacts, readResult, writeResult } from '../support.ts';
import { type DrillRun, SYSTEMS, type SystemName } from './systems.ts';

export const SERIES = ['drills', 'drills-pooler'] as const;
export type Series = (typeof SERIES)[number];

const count = z.int().min(0);

const run = z.object({
  /** Moment of the injection. */
  at: z.iso.datetime(),
  /** Of pgherd's repository. */
  commit: z.string(),
  /** Load average of one minute before the run: beside somebody else's work a figure says little. */
  load: z.number(),
  /** The members had networks of their own. */
  isolated: z.boolean(),
  writeOutageMs: z.number(),
  readOutageMs: z.number(),
  /** The same on each path. */
  paths: z.record(z.string(), z.number()),
  /** null: not within five minutes. */
  wholeAfterMs: z.number().nullable(),
  /** When the fault was taken back, where it had to be and the run was kept since that is. */
  undoneAfterMs: z.number().nullable().default(null),
  acknowledged: count,
  lost: count,
  lostSeconds: z.number(),
  dualAcknowledged: count,
  dualPrimaryMs: z.number(),
  phantom: count,
  duplicate: count,
  unknown: count,
  unknownPresent: count,
  /** Errors that clients saw, by SQLSTATE or system code. */
  errors: z.record(z.string(), count),
  errorsBeyondInFlight: count,
  weaker: z.array(z.string()),
});

/** A run without a report: the cluster did not come up, or the load was never answered. */
const failure = z.object({ at: z.iso.datetime(), commit: z.string(), load: z.number(), code: z.string() });

const measured = z.object({ runs: z.array(run).default([]), failures: z.array(failure).default([]) });

const file = z.object({
  name: z.enum(SERIES),
  /** Of the last change. */
  at: z.iso.datetime(),
  machine: z.record(z.string(), z.union([z.string(), z.number()])),
  versions: z.record(z.string(), z.string()),
  about: z.record(z.string(), z.string()),
  faults: z.record(
    z.string(),
    z.object({
      name: z.string(),
      title: z.string(),
      systems: z.partialRecord(z.enum(SYSTEMS), measured),
    }),
  ),
});

export type Results = z.infer<typeof file>;
export type KeptRun = z.infer<typeof run>;
type Failure = z.infer<typeof failure>;

export interface Facts {
  name: Series;
  versions: Results['versions'];
  about: Results['about'];
}

/** What was kept; undefined: nothing was measured yet. */
export function readResults(series: Series): Results | undefined {
  const text = readResult(series);
  return text === undefined ? undefined : file.parse(JSON.parse(text));
}

/** Refuses to mix machines: their figures do not compare. `fresh` forgets what was kept. */
export function beginResults(facts: Facts, fresh: boolean): void {
  if (fresh) save(empty(facts));
  const known = readResults(facts.name);
  if (known !== undefined && !sameMachine(known.machine, machineFacts())) {
    throw new Error(`bench/results/${facts.name}.json was measured on another machine; --fresh begins anew`);
  }
}

/** Changes what is kept of one fault on one system; what others have kept in the meantime stays. */
export function change(
  facts: Facts,
  { id, name, title }: { id: string; name: string; title: string },
  of: SystemName,
  edit: (list: { runs: KeptRun[]; failures: Failure[] }) => void,
): void {
  const results: Results = { ...empty(facts), faults: readResults(facts.name)?.faults ?? {} };
  const entry = results.faults[id] ?? { name, title, systems: {} };
  const list = entry.systems[of] ?? { runs: [], failures: [] };
  results.faults[id] = { ...entry, systems: { ...entry.systems, [of]: list } };
  edit(list);
  save(results);
}

function empty(facts: Facts): Results {
  return { ...facts, at: new Date().toISOString(), machine: machineFacts(), faults: {} };
}

function save(results: Results): void {
  const faults = Object.entries(results.faults).sort(([a], [b]) => a.localeCompare(b, 'en'));
  writeResult(results.name, JSON.stringify({ ...results, faults: Object.fromEntries(faults) }, null, 1));
}

/** Without what names this machine: directories, processes, addresses. */
export function keptRun(
  found: DrillRun,
  circumstances: Pick<KeptRun, 'commit' | 'load' | 'isolated'>,
): KeptRun {
  const { paths, errors, timeline, ...rest } = found;
  return run.parse({
    ...rest,
    ...circumstances,
    undoneAfterMs: timeline.find(({ event }) => event === 'undone')?.afterMs ?? null,
    paths: Object.fromEntries(paths.map(({ path, ms }) => [path, ms])),
    errors: Object.fromEntries(
      errors.map(({ code, failed, unknown }) => [code ?? 'no answer', failed + unknown]),
    ),
  });
}

/** The kernel and Node may have been brought up to date. */
function sameMachine(one: Results['machine'], other: Results['machine']): boolean {
  return one.cores === other.cores && one.cpu === other.cpu;
}
