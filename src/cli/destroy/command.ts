import { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { withExamples } from '../help.ts';

/** `pgherd destroy NAME` */
export function destroyCommand(cli: Cli): Command {
  const command = new Command('destroy')
    .summary('delete a cluster with its data')
    .description(
      'Stops the cluster and deletes its data, configuration and passwords: they are gone then. Asks for the name of ' +
        'the cluster to be typed; scripts give it with --yes-destroy.',
    )
    .argument('<name>', 'name of the cluster')
    .option('--yes-destroy <name>', 'the name once more, instead of typing it')
    .action(async (name: string, options: { yesDestroy?: string }, self: Command) => {
      let confirmed = false;
      await cli.run(
        self,
        async session => {
          const [{ destroyCluster }, { destroyText, destroyToDocument }] = await Promise.all([
            import('./handler.ts'),
            import('./render.ts'),
          ]);
          const outcome = await destroyCluster(session, name, options.yesDestroy, () => {
            confirmed = true;
          });
          session.print(destroyToDocument(outcome), () => destroyText(outcome, session));
          return undefined;
        },
        {
          timeoutMs: 10 * 60_000,
          interrupted: session =>
            confirmed
              ? `a part of it may be deleted; finish it: ${session.command(['destroy', name, '--yes-destroy', name])}`
              : 'nothing was deleted',
        },
      );
    });
  return withExamples(command, [
    ['pgherd destroy wichtige-daten-3', 'asks for the name'],
    ['pgherd destroy wichtige-daten-3 --yes-destroy wichtige-daten-3', 'for scripts'],
  ]);
}
