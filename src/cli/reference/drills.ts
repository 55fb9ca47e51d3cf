import type { Scenario } from '../../core/drill/scenario.ts';
import { SCENARIOS } from '../../core/drill/scenarios.ts';

/** Patroni's lease as pgherd sets it, for bounds that depend on it. */
const LEASE = { ttlMs: 20_000 };

/** The page docs/reference/drills.md, made from the scenarios. */
export function drillsPage(): string {
  return [
    '# Drills',
    '',
    'Made from `src/core/drill/scenarios/`; `npx vitest run --project unit -u src/cli` writes it anew. How drills work',
    'and what they measure: [drills](../drills.md).',
    '',
    'Bounds are the longest time without an acknowledgement that is promised with a lease of 20 s (`ttl`). In the',
    'synchronous modes each drill also promises: no acknowledged write lost, none acknowledged by two primaries, no',
    'refused write there, no write there twice.',
    '',
    '| Number | Name | What happens | Promise | Writes | Reads | Needs |',
    '|---|---|---|---|---|---|---|',
    ...SCENARIOS.map(row),
    '',
  ].join('\n');
}

function row({ id, name, title, promise, bounds, needs }: Scenario): string {
  const bound = (ms: number | undefined) => (ms === undefined ? '-' : `${ms / 1000} s`);
  const needed = [
    ...(needs.instances > 1 ? [`${needs.instances} instances`] : []),
    ...(needs.isolated === true ? ['`--isolate`'] : []),
    ...(needs.pooler === true ? ['a pooler'] : []),
    ...(needs.synchronous === true ? ['a synchronous mode'] : []),
    ...(needs.backups === true ? ['backups (not yet)'] : []),
  ];
  const cells = [
    id,
    `\`${name}\``,
    title,
    promise,
    bound(bounds.writes(LEASE)),
    bound(bounds.reads(LEASE)),
    needed.join(', '),
  ];
  return `| ${cells.join(' | ')} |`;
}
