import type { EndpointName } from '../../core/manifest/spec.ts';
import { type Content, linePlot, list, page, type Section, strip, table } from '../report/index.ts';
import { count, errorRows, figuresOf } from './figures.ts';
import type { LoadResult } from './result.ts';
import type { StressOutcome, StressRun } from './stressTest.ts';
import { milliseconds, type Verdict } from './verdict.ts';

const LEVELS: Readonly<Record<Verdict, 'good' | 'caution' | 'bad'>> = {
  passed: 'good',
  strained: 'caution',
  failed: 'bad',
};

/** The whole outcome as one HTML page. */
export function stressPage(outcome: StressOutcome): string {
  const { ref, judgement, runs } = outcome;
  const notes = [...judgement.notes];
  return page({
    title: `Stress test of ${ref.name}`,
    subtitle: `Namespace ${ref.namespace}, ${outcome.startedAt.replace('T', ' ').replace(/\..*/, ' UTC')}`,
    verdict: { level: LEVELS[judgement.verdict], word: judgement.verdict, sentence: judgement.sentence },
    sections: [
      { title: 'Load', body: [loadTable(outcome), ...(notes.length > 0 ? [list(notes)] : [])] },
      ...(runs.length > 1 ? [{ title: 'Side by side', body: [sideBySide(runs)] }] : []),
      ...runs.map(run => runSection(run, runs.length > 1)),
    ],
    footer: 'Made by pgherd stress. Percentiles are of statements that were answered.',
  });
}

/** An endpoint as the command line names it. */
export function endpointWord(name: EndpointName): string {
  return name === 'poolerStandby' ? 'pooler-standby' : name;
}

/** What the clients were asked to do. */
export function loadFacts({ wish, fill }: StressOutcome): [label: string, value: string][] {
  const { load } = wish;
  const work =
    load.script !== undefined
      ? `the statements of ${wish.scriptName}`
      : load.writeRatio > 0
        ? `a random row of testdaten, or (${Math.round(load.writeRatio * 100)} %) a write`
        : 'a random row of testdaten';
  const pace = load.intervalMs === 0 ? 'as fast as answers come' : `every ${milliseconds(load.intervalMs)}`;
  const facts: [string, string][] = [];
  if (fill !== undefined)
    facts.push(['filled', `${count(fill.rows)} rows in ${milliseconds(fill.milliseconds)}`]);
  if (load.durationMs === 0) return facts;
  return [
    ...facts,
    ['clients', count(load.clients)],
    ['each', `${work}, ${pace}${load.connectEachTime ? ', with a new connection each time' : ''}`],
    ['for', milliseconds(load.durationMs)],
    ['as', `${wish.user} in ${wish.database}, TLS with the server's name checked`],
  ];
}

function loadTable(outcome: StressOutcome): Content {
  return table(loadFacts(outcome));
}

/** The same figures of several runs, a column each. */
export function comparison(runs: readonly StressRun[]): { header: string[]; rows: string[][] } {
  const columns = runs.map(({ result }) => figuresOf(result));
  const labels = [...new Set(columns.flatMap(column => column.map(([label]) => label)))];
  const codes = [
    ...new Set(runs.flatMap(({ result }) => errorRows(result).map(({ error }) => error.code))),
  ].sort();
  return {
    header: ['', ...runs.map(({ endpoint }) => endpointWord(endpoint))],
    rows: [
      ...labels.map(label => [
        label,
        ...columns.map(column => column.find(([name]) => name === label)?.[1] ?? '-'),
      ]),
      ...codes.map(code => [code, ...runs.map(({ result }) => times(result, code))]),
    ],
  };
}

function times(result: LoadResult, code: string): string {
  const total = errorRows(result)
    .filter(({ error }) => error.code === code)
    .reduce((sum, { error }) => sum + error.count, 0);
  return total === 0 ? 'never' : `${count(total)} times`;
}

function sideBySide(runs: readonly StressRun[]): Content {
  const { header, rows } = comparison(runs);
  return table(rows, { header });
}

function runSection({ endpoint, host, port, result, judgement }: StressRun, many: boolean): Section {
  const word = endpointWord(endpoint);
  const errors = errorRows(result);
  const body: Content[] = [];
  if (many) body.push(`${judgement.verdict}: ${judgement.sentence}`);
  if (judgement.notes.length > 0) body.push(list(judgement.notes));
  body.push(table(figuresOf(result)));
  if (errors.length > 0) {
    const rows = errors.map(({ when, error }) => [
      error.code,
      error.title,
      when,
      count(error.count),
      error.message,
    ]);
    body.push(
      table(rows, {
        header: ['code', 'class', 'while', 'times', 'most often'],
        alignRight: [3],
        caption: 'Errors',
      }),
    );
  }
  if (result.cells.states.length > 0)
    body.push(strip(result.cells.states, { title: 'Availability', cellMs: result.cells.ms }));
  if (result.points.length > 1) body.push(...plots(result));
  return { title: `Through the endpoint ${word} (${host}:${port})`, body };
}

function plots({ points, milliseconds: lasted }: LoadResult): Content[] {
  const seconds = lasted / 1_000;
  const step = (points[1]?.fromMs ?? 1_000) / 1_000;
  const series = (name: string, y: (point: (typeof points)[number]) => number | undefined) => ({
    name,
    points: points.map(point => ({ x: Math.min(seconds, point.fromMs / 1_000 + step / 2), y: y(point) })),
  });
  const failed = points.some(point => point.failuresPerSecond > 0);
  return [
    linePlot(
      [
        series('answered', point => point.perSecond),
        ...(failed ? [series('failed', point => point.failuresPerSecond)] : []),
      ],
      { title: 'Throughput', unit: 'statements/s', seconds },
    ),
    linePlot(
      [
        series('p50', point => point.latency?.p50),
        series('p95', point => point.latency?.p95),
        series('p99', point => point.latency?.p99),
      ],
      { title: 'Latency', unit: 'ms', seconds },
    ),
    linePlot(
      [
        series('connected', point => point.connected),
        series('waiting for an answer', point => point.waiting),
      ],
      { title: 'Clients', unit: 'clients', seconds },
    ),
  ];
}
