/** What the scheduler remembers between two looks, as a document. All of it may be lost. */
import { z } from 'zod';
import type { Schedule } from './cron.ts';
import type { JobMemory } from './due.ts';
import type { FailedWork } from './facts.ts';

/** Name of the document. */
export const SCHEDULE_MEMORY = 'schedule';

const moment = z.iso.datetime();

const run = z.object({
  started: moment.optional(),
  ended: moment.optional(),
  done: moment.optional(),
  failures: z.int().nonnegative(),
  /** What the last run that failed said. */
  message: z.string().optional(),
});

const memory = z.object({
  schema: z.literal(1),
  /** Since when each cron line is what it is. */
  lines: z.record(z.string(), z.object({ text: z.string(), since: moment })),
  /** What became of each job: `backup REPOSITORY`, `dump`, `verify`. */
  runs: z.record(z.string(), run),
  /** When somebody has to look again at the latest. */
  look: moment.optional(),
});

export type ScheduleMemory = z.infer<typeof memory>;
export type RunMemory = z.infer<typeof run>;

/** An unreadable memory is an empty one: every line counts from now on. */
export function parseMemory(document: unknown): ScheduleMemory {
  const parsed = memory.safeParse(document);
  return parsed.success ? parsed.data : { schema: 1, lines: {}, runs: {} };
}

/** Notes lines that are new or have changed: what they asked for in the past is nobody's wish. */
export function noteLines(
  before: ScheduleMemory,
  lines: ReadonlyMap<string, Schedule>,
  now: Date,
): ScheduleMemory {
  const noted: ScheduleMemory['lines'] = {};
  for (const [name, { cron, timeZone }] of lines) {
    const text = timeZone === undefined ? cron : `${cron} ${timeZone}`;
    const known = before.lines[name];
    noted[name] = known?.text === text ? known : { text, since: now.toISOString() };
  }
  return { ...before, lines: noted };
}

/** Before a run: it counts as a failure until it says otherwise, so that one that kills us is not tried at once. */
export function noteStart(before: ScheduleMemory, job: string, now: Date): ScheduleMemory {
  const known = before.runs[job] ?? { failures: 0 };
  const { ended: _, ...rest } = known;
  return withRun(before, job, { ...rest, started: now.toISOString(), failures: known.failures + 1 });
}

/** After a run. `failure` undefined: it succeeded. */
export function noteEnd(
  before: ScheduleMemory,
  job: string,
  failure: string | undefined,
  now: Date,
): ScheduleMemory {
  const known = before.runs[job] ?? { failures: 1 };
  const ended = now.toISOString();
  const { message: _, ...rest } = known;
  if (failure !== undefined) return withRun(before, job, { ...rest, ended, message: failure });
  return withRun(before, job, { ...rest, ended, failures: 0, ...(known.started && { done: known.started }) });
}

function withRun(before: ScheduleMemory, job: string, record: RunMemory): ScheduleMemory {
  return { ...before, runs: { ...before.runs, [job]: record } };
}

/** Forgets failures that are over: somebody else did the work, or nobody wants it any more. */
export function settle(before: ScheduleMemory, open: ReadonlySet<string>): ScheduleMemory {
  const runs = Object.entries(before.runs).map(([job, record]) => {
    if (record.failures === 0 || open.has(job)) return [job, record] as const;
    const { message: _, ...rest } = record;
    return [job, { ...rest, failures: 0 }] as const;
  });
  return { ...before, runs: Object.fromEntries(runs) };
}

/** What `due` needs to know of a job. `done` of the outside world counts as well as what is remembered. */
export function jobMemory(memory: ScheduleMemory, line: string, job: string, done?: Date): JobMemory {
  const since = memory.lines[line]?.since;
  const record = memory.runs[job];
  const date = (text: string | undefined) => (text === undefined ? undefined : new Date(text));
  const remembered = date(record?.done);
  return {
    since: new Date(since ?? 0),
    done: remembered !== undefined && (done === undefined || remembered > done) ? remembered : done,
    started: date(record?.started),
    ended: date(record?.ended),
    failures: record?.failures ?? 0,
  };
}

/** What failed when it was last tried. One that runs now, or was killed, has not failed yet. */
export function failedWork({ runs }: ScheduleMemory): FailedWork[] {
  return Object.entries(runs).flatMap(([job, { failures, ended, message }]) =>
    failures === 0 || ended === undefined || message === undefined
      ? []
      : [{ what: titleOf(job), at: ended, tries: failures, message }],
  );
}

function titleOf(job: string): string {
  const [kind, repository] = job.split(' ');
  if (kind === 'backup') return `the backup into ${repository}`;
  if (kind === 'verify') return `the proof of a backup in ${repository}`;
  return 'the logical backup';
}
