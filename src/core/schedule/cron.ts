/**
 * Moments at which a schedule asks for something. Five fields, in a time zone. In the hour that a clock change
 * skips, a line that names its minute comes at the end of the gap; in the hour that comes twice, it comes once.
 */
import { Cron } from 'croner';

export interface Schedule {
  /** Minute, hour, day of month, month, weekday: "0 2 * * *". */
  cron: string;
  /** IANA name, "Europe/Berlin"; undefined: the machine's own. */
  timeZone: string | undefined;
}

/** What is wrong with a schedule, as the end of a sentence that names it; undefined: nothing. */
export function scheduleProblem(
  schedule: Schedule,
): { field: 'cron' | 'timeZone'; message: string } | undefined {
  const { cron, timeZone } = schedule;
  if (timeZone !== undefined && !isTimeZone(timeZone))
    return { field: 'timeZone', message: 'is no time zone' };
  // A nickname such as @daily would be clear, but "five fields" is what the manifest promises.
  if (cron.trim().split(/\s+/).length !== 5) return { field: 'cron', message: 'is no cron line' };
  try {
    const comes = pattern(schedule).nextRun(new Date(0)) !== null;
    return comes ? undefined : { field: 'cron', message: 'names a day that never comes' };
  } catch {
    return { field: 'cron', message: 'is no cron line' };
  }
}

/** The last moment of the schedule that is not after `now`; undefined: there has been none. */
export function lastOccurrence(schedule: Schedule, now: Date): Date | undefined {
  // previousRuns leaves the reference itself out.
  const [last] = pattern(schedule).previousRuns(1, new Date(now.getTime() + 1));
  return last;
}

/** The first moment of the schedule after `now`; undefined: it never comes again. */
export function nextOccurrence(schedule: Schedule, now: Date): Date | undefined {
  return pattern(schedule).nextRun(now) ?? undefined;
}

function pattern({ cron, timeZone }: Schedule): Cron {
  // Without a function it runs nothing: only its arithmetic is used.
  return new Cron(cron, {
    mode: '5-part',
    paused: true,
    ...(timeZone !== undefined && { timezone: timeZone }),
  });
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    // Offsets such as "+02:00" are accepted as well, but know no summer time.
    return /^[A-Za-z]/.test(name);
  } catch {
    return false;
  }
}
