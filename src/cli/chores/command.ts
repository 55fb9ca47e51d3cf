import { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { EXIT } from '../failure.ts';

/** `pgherd chores NAME`: backup work that is due. Started by the control plane, not by people. */
export function choresCommand(cli: Cli): Command {
  return new Command('chores')
    .summary('does the backup work that is due')
    .description(
      'Takes the backups that are due by the schedules of the manifest, proves and expires them, and ends. ' +
        'The control plane starts it; people need not.',
    )
    .argument('<name>', 'name of the cluster')
    .action(async (name: string, _options: object, self: Command) => {
      await cli.run(
        self,
        async session => {
          const [{ chores }, { choresText, choresToDocument }] = await Promise.all([
            import('./handler.ts'),
            import('./render.ts'),
          ]);
          const outcome = await chores(session, name);
          session.print(choresToDocument(outcome), () => choresText(outcome));
          return outcome.chores.some(({ failure }) => failure !== undefined) ? EXIT.failed : undefined;
        },
        { timeoutMs: undefined },
      );
    });
}
