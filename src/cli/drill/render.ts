import { summarize } from '../../core/drill/statistics.ts';
import type { DrillReport } from '../../drill/run/report.ts';
import { head, toSeconds } from '../documents.ts';
import type { Session } from '../session.ts';
import { table } from '../text/table.ts';
import { count, formatDuration } from '../text/units.ts';
import type { CleanOutcome } from './clean.ts';
import type { DrillOutcome } from './handler.ts';
import type { ListedDrill } from './list.ts';
import type { DrillCleanDocument, DrillDocument, DrillListDocument } from './schema.ts';

/** Reports by drill, in the order in which they ran. */
function byScenario(reports: readonly DrillReport[]): DrillReport[][] {
  const groups = new Map<string, DrillReport[]>();
  for (const report of reports) {
    const group = groups.get(report.scenario.id) ?? [];
    groups.set(report.scenario.id, [...group, report]);
  }
  return [...groups.values()];
}

const rounded = (ms: number) => Math.round(ms);

function runDocument(report: DrillReport): DrillDocument['drills'][number]['runs'][number] {
  const { verdict, check, dual } = report;
  const { lost, loss, phantom, duplicate, unknownPresent } = check.overall;
  return {
    at: report.at,
    kept: verdict.kept,
    broken: verdict.broken,
    notes: report.notes,
    injections: report.injections,
    weaker: report.weaker,
    writeOutageMs: rounded(report.writes.worst.ms),
    readOutageMs: rounded(report.reads.worst.ms),
    paths: [...report.writes.paths, ...report.reads.paths].map(({ path, gap }) => ({
      path,
      ms: rounded(gap.ms),
      errors: report.errorsOfPaths[path] ?? 0,
    })),
    wholeAfterMs: report.wholeAfterMs === undefined ? null : rounded(report.wholeAfterMs),
    acknowledged: check.writes.acknowledged,
    lost: lost.count,
    lostBytes: loss.bytes ?? null,
    lostSeconds: loss.seconds,
    dualAcknowledged: dual.dualAcknowledged,
    dualPrimaryMs: rounded(report.dualPrimaryMs),
    phantom: phantom.count,
    duplicate: duplicate.count,
    unknown: check.writes.unknown,
    unknownPresent: unknownPresent.count,
    errors: report.errors.map(({ code, title, failed, unknown }) => ({
      code: code ?? null,
      title,
      failed,
      unknown,
    })),
    errorsBeyondInFlight: report.errorsBeyondInFlight,
    timeline: report.timeline.map(({ afterMs, event, text }) => ({ afterMs: rounded(afterMs), event, text })),
    directory: report.directory,
  };
}

/** undefined and fractions are nothing for a document. */
function summaryDocument(values: (number | undefined)[]) {
  const { n, missing, median, p95, min, max } = summarize(values);
  const figure = (value: number | undefined) => (value === undefined ? null : rounded(value));
  return { n, missing, median: figure(median), p95: figure(p95), min: figure(min), max: figure(max) };
}

export function drillToDocument(outcome: DrillOutcome): DrillDocument {
  return {
    ...head(outcome.ref),
    mode: outcome.reports[0]?.mode ?? null,
    drills: byScenario(outcome.reports).flatMap(reports => {
      const [first] = reports;
      if (first === undefined) return [];
      return [
        {
          ...first.scenario,
          writeBoundMs: first.bounds.writeMs ?? null,
          readBoundMs: first.bounds.readMs ?? null,
          kept: reports.filter(report => report.verdict.kept).length,
          writeOutageMs: summaryDocument(reports.map(report => report.writes.worst.ms)),
          readOutageMs: summaryDocument(reports.map(report => report.reads.worst.ms)),
          wholeAfterMs: summaryDocument(reports.map(report => report.wholeAfterMs)),
          runs: reports.map(runDocument),
        },
      ];
    }),
    skipped: outcome.skipped.map(({ scenario: { id, name }, reason }) => ({ id, name, reason })),
    ended: outcome.ended ?? null,
    seconds: toSeconds(outcome.durationMs),
  };
}

/** The whole story of a single run; of several a line each, with the figures of all. */
export function drillText(outcome: DrillOutcome, session: Session): string {
  const { look } = session;
  const [only, ...more] = outcome.reports;
  const lines = only !== undefined && more.length === 0 ? story(only, session) : overview(outcome, session);
  for (const { scenario, reason } of outcome.skipped) {
    lines.push(look.faint(`skipped ${scenario.id} ${scenario.name}: ${reason}`));
  }
  if (outcome.ended !== undefined) lines.push(look.bad(`ended before its end: ${outcome.ended}`));
  return lines.join('\n');
}

function story(report: DrillReport, { look }: Session): string[] {
  const { scenario, check, dual, verdict } = report;
  const { lost, loss, unknownPresent } = check.overall;
  const seconds = (ms: number | undefined) => (ms === undefined ? '-' : `${(ms / 1000).toFixed(2)} s`);
  const promised = (ms: number | undefined) => (ms === undefined ? '' : `promised: at most ${seconds(ms)}`);
  const facts: [string, string, string][] = [
    ['writes stood still', seconds(report.writes.worst.ms), promised(report.bounds.writeMs)],
    ['reads stood still', seconds(report.reads.worst.ms), promised(report.bounds.readMs)],
    ['full redundancy after', seconds(report.wholeAfterMs), ''],
    [
      'acknowledged writes lost',
      `${lost.count} of ${check.writes.acknowledged}`,
      lost.count === 0 ? '' : `${loss.bytes ?? '?'} bytes of WAL, ${loss.seconds.toFixed(1)} s`,
    ],
    ['acknowledged by two primaries', String(dual.dualAcknowledged), ''],
    ['without a clear answer', String(check.writes.unknown), `${unknownPresent.count} of them are there`],
    ['two called themselves primary', seconds(report.dualPrimaryMs), ''],
  ];
  const word = verdict.kept ? look.good('kept') : look.bad('broken');
  return [
    `${look.strong(`${scenario.id} ${scenario.name}`)}: ${scenario.title}`,
    `promise ${word}: ${verdict.broken[0] ?? scenario.promise}`,
    ...verdict.broken.slice(1).map(sentence => `  also: ${sentence}`),
    '',
    ...table(facts, { alignRight: [1] }),
    '',
    ...table(
      [...report.writes.paths, ...report.reads.paths].map(({ path, gap }) => [
        path,
        seconds(gap.ms),
        count(report.errorsOfPaths[path] ?? 0, 'error'),
      ]),
      { alignRight: [1, 2] },
    ),
    '',
    'Injected:',
    ...report.injections.map(text => `  ${text}`),
    ...report.weaker.map(text => look.caution(`  weaker than the real fault: ${text}`)),
    'Timeline:',
    ...table(
      report.timeline.map(({ afterMs, event, text }) => [seconds(afterMs), event, text]),
      { alignRight: [0] },
    ),
    ...(report.errors.length === 0
      ? ['No client saw an error.']
      : ['Errors that clients saw:', ...errorLines(report)]),
    ...report.notes.map(note => look.faint(`note: ${note}`)),
    `Page and history: ${report.directory}`,
  ];
}

function errorLines({ errors }: DrillReport): string[] {
  return table(
    errors.map(({ code, title, failed, unknown }) => [
      code ?? 'none',
      title,
      `${failed} failed`,
      `${unknown} unknown`,
    ]),
    { alignRight: [2, 3] },
  );
}

function overview(outcome: DrillOutcome, { look }: Session): string[] {
  const { drills } = drillToDocument(outcome);
  const seconds = (ms: number | null) => (ms === null ? '-' : (ms / 1000).toFixed(2));
  const rows = drills.map(drill => {
    const lost = drill.runs.reduce((sum, run) => sum + run.lost, 0);
    const dual = drill.runs.reduce((sum, run) => sum + run.dualAcknowledged, 0);
    const paint = drill.kept === drill.runs.length ? look.good : look.bad;
    return [
      drill.id,
      drill.name,
      { text: `${drill.kept}/${drill.runs.length}`, paint },
      seconds(drill.writeOutageMs.median),
      seconds(drill.writeOutageMs.p95),
      seconds(drill.writeOutageMs.max),
      seconds(drill.readOutageMs.median),
      seconds(drill.wholeAfterMs.median),
      String(lost),
      String(dual),
    ];
  });
  const header = ['', 'fault', 'kept', 'writes', 'p95', 'max', 'reads', 'whole', 'lost', 'dual'];
  const broken = outcome.reports.filter(report => !report.verdict.kept);
  return [
    `${count(outcome.reports.length, 'drill')} in ${formatDuration(outcome.durationMs)}; seconds, median of the runs`,
    ...table(rows, { header, alignRight: [3, 4, 5, 6, 7, 8, 9], paintHeader: look.faint }),
    ...broken.map(
      ({ scenario, verdict }) => `${look.bad('broken')} ${scenario.id}: ${verdict.broken.join('; ')}`,
    ),
    ...(outcome.reports[0] === undefined ? [] : [`Pages and histories: ${outcome.reports[0].directory}/..`]),
  ];
}

export function listToDocument(drills: ListedDrill[]): DrillListDocument {
  return {
    schema: 1,
    drills: drills.map(({ scenario: { id, name, title, promise }, obstacle }) => ({
      id,
      name,
      title,
      promise,
      obstacle: obstacle ?? null,
    })),
  };
}

export function listText(drills: ListedDrill[], { look }: Session): string {
  const rows = drills.map(({ scenario, obstacle }) => [
    scenario.id,
    scenario.name,
    obstacle === undefined ? scenario.title : { text: `not here: ${obstacle}`, paint: look.faint },
  ]);
  return table(rows, { indent: 0 }).join('\n');
}

export function cleanToDocument({ ref, done }: CleanOutcome): DrillCleanDocument {
  return { ...head(ref), done };
}

export function cleanText({ ref, done }: CleanOutcome): string {
  return done.length === 0 ? `nothing is broken on purpose in ${ref.name}` : done.join('\n');
}
