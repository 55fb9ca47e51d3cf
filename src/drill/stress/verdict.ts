import type { ClassedError, LoadResult } from './result.ts';

/**
 * passed: every client connected, no statement failed, and the wanted rate was reached. strained: nobody was
 * refused for good, but it was less than wanted. failed: clients without a connection, or failed statements.
 */
export type Verdict = 'passed' | 'strained' | 'failed';

export interface Judgement {
  verdict: Verdict;
  sentence: string;
  /** What a reader should know before believing the figures. */
  notes: string[];
}

/** Above this share of its time a thread has no time left to be a client in time. */
const BUSY_GENERATOR = 0.9;
const BUSY_MACHINE = 0.95;
/** Below this share of the wanted rate, clients were kept waiting. */
const SERVED = 0.95;

/** What the figures of one load mean. */
export function judge(result: LoadResult, connectEachTime: boolean): Judgement {
  const notes = notesOf(result);
  const missing = connectEachTime ? 0 : result.clients - result.ramp.connected;
  const everyone = result.clients === 1 ? 'the one client' : `all ${result.clients} clients`;
  if (result.ramp.ended === 'stopped') {
    const sentence = `stopped while clients connected: ${result.ramp.connected} of ${result.clients} had`;
    return { verdict: result.ramp.errors.length > 0 ? 'failed' : 'passed', sentence, notes };
  }
  if (missing > 0) {
    const why = topError([...result.ramp.errors, ...result.errors]);
    const sentence = `${missing} of ${result.clients} clients got no connection${why}`;
    return { verdict: 'failed', sentence, notes };
  }
  if (result.failures > 0) {
    const sentence = `${figure(result.failures)} failures beside ${figure(result.acknowledged)} statements that were answered${topError(result.errors)}`;
    return { verdict: 'failed', sentence, notes };
  }
  if (result.statements === undefined) {
    return { verdict: 'failed', sentence: 'not one statement was answered', notes };
  }
  const rate = `${figure(result.perSecond)} statements a second`;
  const { p50, p99 } = result.statements;
  const times = `half of them within ${milliseconds(p50)}, 99 % within ${milliseconds(p99)}`;
  if (fellShort(result)) {
    const wanted = figure(result.wantedPerSecond ?? 0);
    const sentence = `no statement failed, but the clients wanted ${wanted} statements a second and got ${figure(result.perSecond)}; ${times}`;
    return { verdict: 'strained', sentence, notes };
  }
  if (result.ramp.errors.length > 0) {
    const sentence = `${everyone} were served in the end: ${rate}, ${times}; some had to try more than once to connect${topError(result.ramp.errors)}`;
    return { verdict: 'strained', sentence, notes };
  }
  const were = result.clients === 1 ? 'was' : 'were';
  return {
    verdict: 'passed',
    sentence: `${everyone} ${were} served: ${rate}, ${times}, no error`,
    notes,
  };
}

/** Statements that were under way at the end are not missing. */
function fellShort({ wantedPerSecond, milliseconds: lasted, acknowledged, statements }: LoadResult): boolean {
  if (wantedPerSecond === undefined) return false;
  const underWay = Math.min(statements?.p50 ?? 0, lasted / 2);
  return acknowledged < (SERVED * wantedPerSecond * (lasted - underWay)) / 1_000;
}

function notesOf(result: LoadResult): string[] {
  const { generator, machine, ramp, unanswered } = result;
  const notes: string[] = [];
  if (generator.cpu > BUSY_GENERATOR) {
    notes.push(
      `the generator was the bottleneck: its busiest thread kept a processor busy ${percent(generator.cpu)} of the time, so the cluster can do more than these figures say`,
    );
  } else if (generator.utilisation > BUSY_GENERATOR) {
    notes.push(
      "the generator's threads had to wait for a processor, so the times contain waits that are not the cluster's",
    );
  }
  if (machine.busy > BUSY_MACHINE) {
    const who = machine.shared ? 'servers and generator together' : 'the generator';
    notes.push(`the processors of this machine were busy ${percent(machine.busy)} of the time with ${who}`);
  }
  if (ramp.ended === 'no-more') {
    notes.push('the load began when no further client could connect; the others kept trying');
  }
  if (ramp.ended === 'deadline') {
    notes.push(
      `the load began after ${seconds(ramp.milliseconds)} although some clients were not connected yet`,
    );
  }
  if (unanswered.count > 0 && unanswered.oldestMs > 1_000) {
    notes.push(
      `${unanswered.count} statements had no answer yet when the load ended, the oldest after ${seconds(unanswered.oldestMs)}: they are in no figure`,
    );
  }
  return notes;
}

/** ` (53300 sorry, too many clients already: 264)` */
function topError(errors: readonly ClassedError[]): string {
  const [top] = errors;
  return top === undefined ? '' : ` (${top.code} ${top.message}: ${figure(top.count)} times)`;
}

/** What two endpoints did with the same load. */
export function compare(direct: LoadResult, pooled: LoadResult, judged: Judgement): Judgement {
  const of = (result: LoadResult): string =>
    `${result.ramp.connected} of ${result.clients} clients, ${figure(result.perSecond)} statements a second${topError([...result.ramp.errors, ...result.errors])}`;
  return {
    verdict: judged.verdict,
    sentence: `straight to the primary ${of(direct)}; through the pooler ${of(pooled)}`,
    notes: [],
  };
}

function figure(value: number): string {
  const digits = value !== 0 && Math.abs(value) < 10 && !Number.isInteger(value) ? 1 : 0;
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}

/** Milliseconds for people: `0.8 ms`, `12 ms`, `1.2 s`. */
export function milliseconds(value: number): string {
  if (value < 10) return `${value.toFixed(1)} ms`;
  return value < 1_000 ? `${Math.round(value)} ms` : seconds(value);
}

function seconds(value: number): string {
  return `${(value / 1_000).toFixed(value < 100_000 ? 1 : 0)} s`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
