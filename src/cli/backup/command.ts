import { Command, Option } from 'commander';
import type { BackupType } from '../../core/schedule/facts.ts';
import type { Cli } from '../cli.ts';
import { EXIT } from '../failure.ts';
import { withExamples } from '../help.ts';

interface Options {
  type: BackupType;
  repo?: string[];
}

/** `pgherd backup NAME` */
export function backupCommand(cli: Cli): Command {
  const command = new Command('backup')
    .summary('take a backup now')
    .description(
      'Takes a backup into every repository of the manifest, one after the other, from a standby where one ' +
        'streams. The control plane takes them on schedule by itself.\n' +
        'Exit code 1 where one of them failed; the others are complete then.',
    )
    .argument('<name>', 'name of the cluster')
    .addOption(
      new Option('--type <type>', 'everything, or what has changed since the last full or any backup')
        .choices(['full', 'differential', 'incremental'])
        .default('full'),
    )
    .option('--repo <name...>', 'into these repositories only')
    .action(async (name: string, options: Options, self: Command) => {
      await cli.run(
        self,
        async session => {
          const [{ backup }, { backupText, backupToDocument }] = await Promise.all([
            import('./handler.ts'),
            import('./render.ts'),
          ]);
          const outcome = await backup(session, name, { type: options.type, repositories: options.repo });
          session.print(backupToDocument(outcome), () => backupText(outcome, session));
          return outcome.results.every(({ ok }) => ok) ? EXIT.done : EXIT.failed;
        },
        {
          timeoutMs: 48 * 3_600_000,
          interrupted: session =>
            `what is complete is listed, and nothing else: ${session.command(['backups', name])}`,
        },
      );
    });
  return withExamples(command, [
    ['pgherd backup wichtige-daten-3', 'a full backup into every repository'],
    ['pgherd backup wichtige-daten-3 --type incremental --repo nas', 'what has changed, into one of them'],
  ]);
}
