import { Command, Option } from 'commander';
import type { BackupType } from '../../core/schedule/facts.ts';
import type { Cli } from '../cli.ts';
import { EXIT } from '../failure.ts';
import { withExamples } from '../help.ts';
import type { Session } from '../session.ts';
import { UsageError } from '../usage.ts';

interface Options {
  type: BackupType;
  repo?: string[];
  logical?: true;
  newPlace?: true;
}

/** `pgherd backup NAME` */
export function backupCommand(cli: Cli): Command {
  const command = new Command('backup')
    .summary('take a backup now')
    .description(
      'Takes a backup into every repository of the manifest, one after the other, from a standby where one ' +
        'streams. The control plane takes them on schedule by itself.\n' +
        'Exit code 1 where one of them failed; the others are complete then.\n' +
        'With --logical a dump of every database instead, into the directory that the manifest names.',
    )
    .argument('<name>', 'name of the cluster')
    .addOption(
      new Option('--type <type>', 'everything, or what has changed since the last full or any backup')
        .choices(['full', 'differential', 'incremental'])
        .default('full'),
    )
    .option('--repo <name...>', 'into these repositories only')
    .option('--logical', 'a dump of every database by pg_dump, and of the roles')
    .option('--new-place', 'with --logical: the directory may be on another file system than last time')
    .action(async (name: string, options: Options, self: Command) => {
      await cli.run(
        self,
        async session => {
          if (options.logical === true || options.newPlace === true) {
            await dump(session, name, options, self);
            return EXIT.done;
          }
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
    ['pgherd backup wichtige-daten-3 --logical', 'a dump of every database'],
  ]);
}

/** A logical backup knows neither types nor repositories. */
async function dump(session: Session, name: string, options: Options, command: Command): Promise<void> {
  const alien = ['type', 'repo'].find(option => command.getOptionValueSource(option) === 'cli');
  if (alien !== undefined || options.logical !== true) {
    throw new UsageError(
      alien === undefined
        ? '--new-place is of use with --logical only'
        : `--logical and --${alien} exclude each other`,
      'see: pgherd backup --help',
    );
  }
  const [{ dumpNow }, { dumpText, dumpToDocument }] = await Promise.all([
    import('./logical.ts'),
    import('./renderLogical.ts'),
  ]);
  const outcome = await dumpNow(session, name, { trustPlace: options.newPlace === true });
  session.print(dumpToDocument(outcome), () => dumpText(outcome, session));
}
