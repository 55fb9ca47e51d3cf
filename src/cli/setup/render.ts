import type { SetupDocument } from '../schema.ts';
import type { Session } from '../session.ts';
import type { SetupReport } from '../surroundings.ts';
import { type Cell, table } from '../text/table.ts';

/** The report as JSON. */
export function setupToDocument({ ready, found, missing, notes }: SetupReport): SetupDocument {
  return {
    schema: 1,
    ready,
    found: found.map(({ name, version }) => ({ name, version: version ?? null })),
    missing: missing.map(({ tool, package: name }) => ({ tool, package: name ?? null })),
    notes: [...notes],
  };
}

/** The report for people. */
export function setupText({ ready, found, missing, notes }: SetupReport, session: Session): string {
  const { look } = session;
  const lines = [
    ready
      ? look.good('This machine has everything that clusters need.')
      : look.caution('Something is missing:'),
  ];
  const lack = missing.map((tool): Cell[] => [
    tool.tool,
    {
      text: tool.package === undefined ? 'unpacked by pgherd' : `package ${tool.package}`,
      paint: look.faint,
    },
  ]);
  lines.push(...table(ready ? found.map(({ name, version }) => [name, version ?? '']) : lack));
  if (notes.length > 0) lines.push('', look.strong('Notes'), ...notes.map(note => `  ${note}`));
  const next = ready ? ['up', 'FILE'] : ['setup'];
  lines.push('', look.strong('Next'), `  ${session.command(next)}`);
  return lines.join('\n');
}
