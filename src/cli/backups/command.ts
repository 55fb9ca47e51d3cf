import { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { EXIT } from '../failure.ts';
import { withExamples } from '../help.ts';

/** `pgherd backups NAME` */
export function backupsCommand(cli: Cli): Command {
  const command = new Command('backups')
    .summary('which backups there are, and to which moments they lead')
    .description(
      'Asks every repository for its backups and its WAL: sizes, durations, the moments that can be restored, ' +
        'gaps, and how archiving goes.\n' +
        'Exit code 2 where a repository is not ready or WAL is not archived.',
    )
    .argument('<name>', 'name of the cluster')
    .action(async (name: string, _options: object, self: Command) => {
      await cli.run(
        self,
        async session => {
          const [{ lookAtBackups }, { backupsText, backupsToDocument }] = await Promise.all([
            import('./handler.ts'),
            import('./render.ts'),
          ]);
          const outcome = await lookAtBackups(session, name);
          session.print(backupsToDocument(outcome), () => backupsText(outcome, session));
          return outcome.troubles.length > 0 ? EXIT.degraded : EXIT.done;
        },
        { timeoutMs: 5 * 60_000 },
      );
    });
  return withExamples(command, [
    ['pgherd backups wichtige-daten-3', 'all of them'],
    [
      "pgherd backups wichtige-daten-3 --output json | jq -r '.backups[-1].id'",
      'the newest one, for scripts',
    ],
  ]);
}
