import { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { withExamples } from '../help.ts';

/** `pgherd events NAME` */
export function eventsCommand(cli: Cli): Command {
  const command = new Command('events')
    .summary('the journal: who did what, when and why')
    .description(
      "Prints the cluster's journal, oldest first: commands, what the control plane did, what it saw.",
    )
    .argument('<name>', 'name of the cluster')
    .option('--since <time>', 'only from then on: 10m, 2h, or 2026-11-22T10:00:00Z')
    .action(async (name: string, options: { since?: string }, self: Command) => {
      await cli.run(
        self,
        async session => {
          const [{ events }, { eventsText, eventsToDocument }] = await Promise.all([
            import('./handler.ts'),
            import('./render.ts'),
          ]);
          const outcome = await events(session, name, options);
          session.print(eventsToDocument(outcome), () => eventsText(outcome, session));
          return undefined;
        },
        { timeoutMs: 30_000 },
      );
    });
  return withExamples(command, [
    ['pgherd events wichtige-daten-3', 'all of it'],
    ['pgherd events wichtige-daten-3 --since 1h', 'the last hour'],
    [
      'pgherd events wichtige-daten-3 --output json | jq ".events[] | select(.event == \\"role-changed\\")"',
      'failovers',
    ],
  ]);
}
