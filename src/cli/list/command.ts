import { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { withExamples } from '../help.ts';

/** `pgherd list` */
export function listCommand(cli: Cli): Command {
  const command = new Command('list')
    .summary('all clusters of this machine with their verdicts')
    .description('Observes every cluster in the state directory, or in one namespace with --namespace.')
    .action(async (_options: object, self: Command) => {
      await cli.run(
        self,
        async session => {
          const [{ list }, { listText, listToDocument }] = await Promise.all([
            import('./handler.ts'),
            import('./render.ts'),
          ]);
          const found = await list(session);
          session.print(listToDocument(found), () => listText(found, session));
          return undefined;
        },
        { timeoutMs: 60_000 },
      );
    });
  return withExamples(command, [
    ['pgherd list', 'every cluster, one line each'],
    ['pgherd list -n school', 'one namespace'],
    ['pgherd list --output json | jq -r ".clusters[].cluster"', 'names only'],
  ]);
}
