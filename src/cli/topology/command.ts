import { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { withExamples } from '../help.ts';

/** `pgherd topology NAME` */
export function topologyCommand(cli: Cli): Command {
  const command = new Command('topology')
    .summary('who follows whom: timelines and lag as a tree')
    .description(
      'Shows the primary with its standbys below it, each with timeline and lag, and members that are lost.',
    )
    .argument('<name>', 'name of the cluster')
    .action(async (name: string, _options: object, self: Command) => {
      await cli.run(
        self,
        async session => {
          const [{ readStatus, exitCodeOf }, { topologyText, topologyToDocument }] = await Promise.all([
            import('../status/handler.ts'),
            import('./render.ts'),
          ]);
          const outcome = await readStatus(session, name);
          session.print(topologyToDocument(outcome), () => topologyText(outcome, session));
          return exitCodeOf(outcome.verdict);
        },
        { timeoutMs: 30_000 },
      );
    });
  return withExamples(command, [
    ['pgherd topology wichtige-daten-3', 'the tree'],
    [
      'pgherd topology wichtige-daten-3 --output json | jq ".members[] | {name, lagBytes}"',
      'lag for scripts',
    ],
  ]);
}
