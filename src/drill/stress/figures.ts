import type { ClassedError, LoadResult } from './result.ts';
import type { Latency } from './tally.ts';
import { milliseconds } from './verdict.ts';

/** The figures of one load by name, the same ones in the text, on the page and in a comparison. */
export function figuresOf(result: LoadResult): [label: string, value: string][] {
  const { ramp, clients, statements, generator } = result;
  const rows: [string, string][] = [
    ['clients', ramp.ended === 'not-needed' ? `${clients}, a connection each time` : connections(result)],
    ['statements', count(result.acknowledged)],
    ['a second', perSecond(result)],
    ['latency p50', time(statements?.p50)],
    ['latency p95', time(statements?.p95)],
    ['latency p99', time(statements?.p99)],
    ['latency max', time(statements?.max)],
  ];
  if (result.writes !== undefined && result.reads !== undefined) {
    rows.push(['reads', brief(result.reads)], ['writes', brief(result.writes)]);
  }
  rows.push(
    ['to connect', brief(result.connects)],
    ['failures', count(result.failures)],
    ['refused at first', count(ramp.errors.reduce((sum, error) => sum + error.count, 0))],
    ['longest gap', milliseconds(result.longestGapMs)],
    ['generator', `${threads(generator.threads)}, ${Math.round(generator.cpu * 100)} % of a processor each`],
  );
  return rows;
}

function connections({ ramp, clients }: LoadResult): string {
  return `${ramp.connected} of ${clients} connected in ${milliseconds(ramp.milliseconds)}`;
}

function perSecond({ perSecond: rate, wantedPerSecond }: LoadResult): string {
  const wanted = wantedPerSecond === undefined ? '' : ` of ${count(wantedPerSecond)} wanted`;
  return `${count(rate)}${wanted}`;
}

function brief(latency: Latency | undefined): string {
  if (latency === undefined) return '-';
  return `${count(latency.count)}: p50 ${milliseconds(latency.p50)}, p99 ${milliseconds(latency.p99)}`;
}

function time(value: number | undefined): string {
  return value === undefined ? '-' : milliseconds(value);
}

function threads(number: number): string {
  return number === 1 ? '1 thread' : `${number} threads`;
}

/** A number for people: `17,940`; with one decimal below ten. */
export function count(value: number): string {
  const digits = Math.abs(value) < 10 && !Number.isInteger(value) ? 1 : 0;
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}

/** Errors while clients connected and during the load, code by code. */
export function errorRows(result: LoadResult): { when: string; error: ClassedError }[] {
  return [
    ...result.ramp.errors.map(error => ({ when: 'connecting', error })),
    ...result.errors.map(error => ({ when: 'load', error })),
  ];
}
