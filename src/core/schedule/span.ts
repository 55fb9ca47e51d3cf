/** Spans of time as the manifest writes them: "3 days", "2 weeks", "1 month". */

const SPAN = /^([1-9]\d{0,4}) (day|week|month|year)s?$/;

export interface Span {
  amount: number;
  unit: 'day' | 'week' | 'month' | 'year';
}

/** undefined: it is no span of time. */
export function parseSpan(text: string): Span | undefined {
  const [, amount, unit] = SPAN.exec(text) ?? [];
  return amount === undefined ? undefined : { amount: Number(amount), unit: unit as Span['unit'] };
}

/** The moment that lies one span before `now`. Months and years are those of the calendar. */
export function earlierBy(now: Date, { amount, unit }: Span): Date {
  const then = new Date(now);
  if (unit === 'day' || unit === 'week') {
    then.setUTCDate(then.getUTCDate() - amount * (unit === 'week' ? 7 : 1));
    return then;
  }
  const day = then.getUTCDate();
  // From the first of the month, since the 31st of a short month would be a day of the next one.
  then.setUTCDate(1);
  if (unit === 'month') then.setUTCMonth(then.getUTCMonth() - amount);
  else then.setUTCFullYear(then.getUTCFullYear() - amount);
  const lastDay = new Date(Date.UTC(then.getUTCFullYear(), then.getUTCMonth() + 1, 0)).getUTCDate();
  then.setUTCDate(Math.min(day, lastDay));
  return then;
}

/**
 * Which of these can go: older than the span, but never the newest, so that a schedule which stopped working does
 * not cost the last copy. Without a span all are kept. Oldest first.
 */
export function expired<T extends { at: Date }>(items: readonly T[], keep: Span | undefined, now: Date): T[] {
  if (keep === undefined) return [];
  const oldestFirst = [...items].sort((a, b) => a.at.getTime() - b.at.getTime());
  const limit = earlierBy(now, keep);
  return oldestFirst.slice(0, -1).filter(item => item.at < limit);
}
