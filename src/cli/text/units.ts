import { UsageError } from '../usage.ts';

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** Bytes for people, in PostgreSQL's units (1 kB is 1024 B). */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${BYTE_UNITS[unit]}`;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A span of time for people: tenths of seconds below 10 s, two units above 2 minutes. */
export function formatDuration(milliseconds: number): string {
  const ms = Math.max(0, milliseconds);
  if (ms < 9_950) return `${(ms / SECOND).toFixed(1)} s`;
  if (ms < 2 * MINUTE) return `${Math.round(ms / SECOND)} s`;
  if (ms < 2 * HOUR) return pair(ms, MINUTE, 'min', SECOND, 's', 10 * MINUTE);
  if (ms < 2 * DAY) return pair(ms, HOUR, 'h', MINUTE, 'min', 10 * HOUR);
  return pair(ms, DAY, 'd', HOUR, 'h', 10 * DAY);
}

/** The small unit is only of interest while the span is below `coarse`. */
function pair(
  ms: number,
  big: number,
  bigName: string,
  small: number,
  smallName: string,
  coarse: number,
): string {
  if (ms >= coarse) return `${Math.floor(ms / big)} ${bigName}`;
  const rest = Math.floor((ms % big) / small);
  const whole = `${Math.floor(ms / big)} ${bigName}`;
  return rest === 0 ? whole : `${whole} ${rest} ${smallName}`;
}

/** How long ago an ISO moment was; undefined stays a dash. */
export function formatAge(since: string | undefined, now: Date): string {
  if (since === undefined) return '-';
  return formatDuration(now.getTime() - Date.parse(since));
}

/** `3 members`, `1 member`. */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

const DURATION_UNITS: Readonly<Record<string, number>> = { ms: 1, s: SECOND, m: MINUTE, h: HOUR, d: DAY };

/** Milliseconds of `90s`, `10m`, `1h30m`, `2d`; a bare number means seconds. */
export function parseDuration(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * SECOND;
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) {
    throw new UsageError(`"${text}" is no duration`, 'write for example 90s, 10m, 1h30m or 2d');
  }
  let total = 0;
  for (const [, value, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    total += Number(value) * (DURATION_UNITS[unit ?? 's'] ?? SECOND);
  }
  return total;
}

/** A moment: `10m` ago, or an ISO date with or without time (UTC unless it says otherwise). */
export function parseSince(text: string, now: Date): Date {
  const iso = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/.exec(text);
  if (iso === null) return new Date(now.getTime() - parseDuration(text));
  const zoned = iso[1] === undefined || iso[4] !== undefined ? text : `${text}Z`;
  const moment = new Date(zoned.replace(' ', 'T'));
  if (Number.isNaN(moment.getTime())) {
    throw new UsageError(
      `"${text}" is no moment`,
      'write for example 10m, 2026-11-22 or 2026-11-22T10:00:00Z',
    );
  }
  return moment;
}
