import { count, errorRows, figuresOf } from '../../drill/stress/figures.ts';
import { comparison, endpointWord, loadFacts } from '../../drill/stress/page.ts';
import type { ClassedError } from '../../drill/stress/result.ts';
import type { StressRun } from '../../drill/stress/stressTest.ts';
import type { Latency } from '../../drill/stress/tally.ts';
import type { Verdict } from '../../drill/stress/verdict.ts';
import { head, toSeconds } from '../documents.ts';
import { ENDPOINT_WORDS, type EndpointWord } from '../endpoints.ts';
import type { Session } from '../session.ts';
import { bullets, fold, labelled } from '../text/fold.ts';
import type { Look } from '../text/look.ts';
import { table } from '../text/table.ts';
import type { StressReport } from './handler.ts';
import type { StressDocument } from './schema.ts';

/** The report for people. */
export function stressText(report: StressReport, session: Session): string {
  const { look } = session;
  const { ref, judgement, runs, ended } = report;
  const width = session.output.proseColumns;
  const [first] = runs;
  const through = runs.length === 1 && first !== undefined ? ` through ${endpointWord(first.endpoint)}` : '';
  const early = ended === undefined ? '' : ', ended early';
  const word = paint(judgement.verdict, look);
  const lines = [
    `${look.strong(`${ref.name}${through}`)}: ${word}${early}`,
    ...fold(judgement.sentence, width - 2).map(line => `  ${line}`),
    '',
    ...labelled(loadFacts(report), width),
  ];
  if (runs.length === 1 && first !== undefined)
    lines.push('', ...labelled(figuresOf(first.result), width), ...errorLines(first, look));
  if (runs.length > 1) {
    const { header, rows } = comparison(runs);
    lines.push('', ...table(rows, { header, paintHeader: look.faint }));
    for (const run of runs) lines.push(...errorLines(run, look, endpointWord(run.endpoint)));
  }
  const notes = [
    ...judgement.notes,
    ...runs.flatMap(run =>
      run.judgement.notes.map(note => (runs.length > 1 ? `${endpointWord(run.endpoint)}: ${note}` : note)),
    ),
  ];
  if (notes.length > 0) lines.push('', look.strong('Notes'), ...bullets(notes, width, '- '));
  if (report.report !== undefined) lines.push('', `Report: ${report.report}`);
  return lines.join('\n');
}

function paint(verdict: Verdict, look: Look): string {
  if (verdict === 'passed') return look.good(verdict);
  return verdict === 'strained' ? look.caution(verdict) : look.bad(verdict);
}

function errorLines({ result }: StressRun, look: Look, endpoint = ''): string[] {
  const errors = errorRows(result);
  if (errors.length === 0) return [];
  const rows = errors.map(({ when, error }) => [
    error.code,
    error.title,
    when,
    count(error.count),
    error.message,
  ]);
  return [
    '',
    look.strong(endpoint === '' ? 'Errors' : `Errors of ${endpoint}`),
    ...table(rows, {
      header: ['CODE', 'CLASS', 'WHILE', 'TIMES', 'MOST OFTEN'],
      alignRight: [3],
      paintHeader: look.faint,
    }),
  ];
}

/** The report as JSON. */
export function stressToDocument(report: StressReport): StressDocument {
  const { wish, judgement, fill } = report;
  const { load } = wish;
  return {
    ...head(report.ref),
    ...judgement,
    interrupted: report.ended !== undefined,
    startedAt: report.startedAt,
    load: {
      clients: load.clients,
      durationSeconds: toSeconds(load.durationMs),
      intervalSeconds: toSeconds(load.intervalMs),
      writeRatio: load.writeRatio,
      connectEachTime: load.connectEachTime,
      script: wish.scriptName ?? null,
      user: wish.user,
      database: wish.database,
    },
    fill:
      fill === undefined
        ? null
        : { rows: fill.rows, seed: fill.seed, seconds: toSeconds(fill.milliseconds), bytes: fill.bytes },
    runs: report.runs.map(runDocument),
    report: report.report ?? null,
  };
}

function runDocument({ endpoint, host, port, result, judgement }: StressRun): StressDocument['runs'][number] {
  const { ramp, unanswered, generator, machine } = result;
  return {
    endpoint: wordOf(endpointWord(endpoint)),
    host,
    port,
    ...judgement,
    ramp: {
      seconds: toSeconds(ramp.milliseconds),
      connected: ramp.connected,
      ended: ramp.ended,
      errors: ramp.errors.map(errorDocument),
    },
    seconds: toSeconds(result.milliseconds),
    stopped: result.stopped,
    statements: result.acknowledged,
    rows: result.rows,
    perSecond: round(result.perSecond),
    wantedPerSecond: result.wantedPerSecond === undefined ? null : round(result.wantedPerSecond),
    latencyMs: latencyDocument(result.statements),
    readLatencyMs: latencyDocument(result.reads),
    writeLatencyMs: latencyDocument(result.writes),
    connectLatencyMs: latencyDocument(result.connects),
    lowestConnected: result.lowestConnected,
    connectedAtEnd: result.connectedAtEnd,
    failures: result.failures,
    errors: result.errors.map(errorDocument),
    longestGapSeconds: toSeconds(result.longestGapMs),
    unanswered: { count: unanswered.count, oldestSeconds: toSeconds(unanswered.oldestMs) },
    generator: {
      threads: generator.threads,
      utilisation: round(generator.utilisation),
      cpu: round(generator.cpu),
      delayMs: round(generator.delayMs),
    },
    machine: { shared: machine.shared, busy: round(machine.busy) },
    timeline: result.points.map(point => ({
      second: toSeconds(point.fromMs),
      perSecond: round(point.perSecond),
      failuresPerSecond: round(point.failuresPerSecond),
      p50Ms: point.latency?.p50 ?? null,
      p95Ms: point.latency?.p95 ?? null,
      p99Ms: point.latency?.p99 ?? null,
      connected: point.connected,
      waiting: point.waiting,
    })),
  };
}

function wordOf(text: string): EndpointWord {
  return ENDPOINT_WORDS.find(word => word === text) ?? 'primary';
}

function errorDocument({ code, class: group, title, message, count: times }: ClassedError) {
  return { code, class: group, title, message, count: times };
}

function latencyDocument(latency: Latency | undefined): StressDocument['runs'][number]['latencyMs'] {
  return latency === undefined ? null : { ...latency, mean: round(latency.mean) };
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
