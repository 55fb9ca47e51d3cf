/** The report of one drill as a page that needs nothing else. */
import type { Strip } from '../../core/drill/availability.ts';
import { type CellState, list, page, paragraph, strip, table } from '../report/index.ts';
import type { DrillReport } from './report.ts';

export function reportPage(report: DrillReport): string {
  const { scenario, verdict, check, dual } = report;
  const { lost, phantom, duplicate, unknownPresent, loss } = check.overall;
  const began = report.strips.writes.from;
  const marks = report.timeline.map(({ event, afterMs }) => ({
    seconds: (Date.parse(report.at) + afterMs - began) / 1000,
    label: event,
  }));
  const bound = (ms: number | undefined) => (ms === undefined ? 'none promised' : `at most ${seconds(ms)}`);
  return page({
    title: `${scenario.id}: ${scenario.title}`,
    subtitle: `${report.namespace}/${report.cluster}, ${report.at}, ${report.mode} replication`,
    verdict: {
      level: verdict.kept ? (report.weaker.length > 0 ? 'caution' : 'good') : 'bad',
      word: verdict.kept ? 'kept' : 'broken',
      sentence: verdict.broken[0] ?? `${scenario.promise}.`,
    },
    sections: [
      {
        title: 'What was done',
        body: [
          list(report.injections),
          ...(report.weaker.length > 0
            ? [paragraph('Weaker than the real fault:'), list(report.weaker)]
            : []),
        ],
      },
      {
        title: 'Availability',
        body: [
          strip(cellsOf(report.strips.writes), { title: 'Writes through the endpoints', marks }),
          strip(cellsOf(report.strips.reads), { title: 'Reads through the endpoints', marks }),
        ],
      },
      {
        title: 'Figures',
        body: [
          table(
            [
              [
                'Writes: longest time without an acknowledgement',
                seconds(report.writes.worst.ms),
                bound(report.bounds.writeMs),
              ],
              [
                'Reads: longest time without an answer',
                seconds(report.reads.worst.ms),
                bound(report.bounds.readMs),
              ],
              [
                'Full redundancy again',
                report.wholeAfterMs === undefined ? 'not within the cap' : seconds(report.wholeAfterMs),
                '',
              ],
              ['Writes acknowledged', String(check.writes.acknowledged), ''],
              [
                '… of them lost',
                `${lost.count} (${loss.bytes ?? '?'} bytes of WAL, ${loss.seconds.toFixed(1)} s)`,
                '0 in the synchronous modes',
              ],
              [
                '… of them acknowledged by two primaries',
                `${dual.dualAcknowledged} (${seconds(dual.windowMs)})`,
                '0',
              ],
              ['Refused and yet there', String(phantom.count), '0'],
              ['There more than once', String(duplicate.count), '0'],
              [
                'Without a clear answer',
                `${check.writes.unknown}, of which ${unknownPresent.count} are there`,
                '',
              ],
              ['Two members called themselves primary', seconds(report.dualPrimaryMs), ''],
            ],
            { header: ['', 'measured', 'promised'] },
          ),
          table(
            [...report.writes.paths, ...report.reads.paths].map(({ path, gap }) => [
              path,
              seconds(gap.ms),
              String(report.errorsOfPaths[path] ?? 0),
            ]),
            { header: ['path', 'longest time without an answer', 'errors'], alignRight: [1, 2] },
          ),
        ],
      },
      {
        title: 'Timeline',
        body: [
          table(
            report.timeline.map(({ event, afterMs, text }) => [seconds(afterMs), event, text]),
            { alignRight: [0] },
          ),
        ],
      },
      {
        title: 'Errors that clients saw',
        body:
          report.errors.length === 0
            ? ['none']
            : [
                table(
                  report.errors.map(({ code, title, failed, unknown }) => [
                    code ?? 'none',
                    title,
                    String(failed),
                    String(unknown),
                  ]),
                  { header: ['code', '', 'failed', 'unknown'], alignRight: [2, 3] },
                ),
              ],
      },
      ...(report.verdict.broken.length + report.notes.length > 0
        ? [{ title: 'Notes', body: [list([...report.verdict.broken, ...report.notes])] }]
        : []),
    ],
    footer: `Every request is in history.jsonl beside this page. Made by pgherd drill.`,
  });
}

function cellsOf(counts: Strip): CellState[] {
  return counts.acknowledged.map((acknowledged, n) => {
    if (acknowledged > 0) return 'acknowledged';
    return (counts.failed[n] ?? 0) + (counts.unknown[n] ?? 0) > 0 ? 'failed' : 'none';
  });
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
