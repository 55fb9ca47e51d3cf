import { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { withExamples } from '../help.ts';

/** `pgherd expire NAME` */
export function expireCommand(cli: Cli): Command {
  const command = new Command('expire')
    .summary('delete the backups that retention does not keep')
    .description(
      'Deletes backups, and the WAL that only they need, as `spec.backup.retention` says. Each backup does it for ' +
        'its repository by itself: this is for after a change of the retention, or to look first.',
    )
    .argument('<name>', 'name of the cluster')
    .option('--dry-run', 'only say what would be deleted')
    .option('--repo <name...>', 'in these repositories only')
    .action(async (name: string, options: { dryRun?: boolean; repo?: string[] }, self: Command) => {
      await cli.run(
        self,
        async session => {
          const [{ expireNow }, { expireText, expireToDocument }] = await Promise.all([
            import('./handler.ts'),
            import('./render.ts'),
          ]);
          const outcome = await expireNow(session, name, {
            dryRun: options.dryRun === true,
            repositories: options.repo,
          });
          session.print(expireToDocument(outcome), () => expireText(outcome, session));
          return undefined;
        },
        { timeoutMs: 3_600_000 },
      );
    });
  return withExamples(command, [
    ['pgherd expire wichtige-daten-3 --dry-run', 'what would go?'],
    ['pgherd expire wichtige-daten-3 --repo nas', 'delete it there'],
  ]);
}
