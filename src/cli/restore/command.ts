import { Command, InvalidArgumentError } from 'commander';
import type { Cli } from '../cli.ts';
import { withExamples } from '../help.ts';
import { collect } from '../parse.ts';

const DEFAULT_KEEP_DAYS = 7;

/** What the command line says, as commander gives it. */
export interface RestoreFlags {
  to?: string;
  backup?: string;
  from?: string;
  cutover?: string | true;
  keep: number;
  as?: string;
  table?: string[];
  into?: string;
  dump?: string | true;
  database?: string[];
  discard?: string;
  list?: true;
  manifest?: string;
  key?: string;
}

/** `pgherd restore [NAME]` */
export function restoreCommand(cli: Cli): Command {
  const command = new Command('restore')
    .summary('bring a cluster, a clone of it or single tables back to a moment')
    .description(
      'Restores beside the cluster, which goes on serving, and says what was reached. Then --cutover puts the ' +
        'restored data in place; the old ones are kept for some days. A target that cannot be reached is refused ' +
        'before anything is touched, with what can be reached.',
    )
    .argument('[name]', 'name of the cluster; with --manifest it stands there')
    .option(
      '--to <target>',
      'time ("2026-11-22 14:03:00", "14:03", "10 minutes ago"), position in the WAL, xid:N, name:POINT, immediate, or latest',
      'latest',
    )
    .option('--backup <id>', 'begin with this backup (default: the newest before the target)')
    .option('--from <repository>', 'from this repository only (default: the first that can)')
    .option('--cutover [id]', 'put a finished restore in the place of the data')
    .option(
      '--keep <days>',
      'days for which the old data are kept after a cutover',
      parseDays,
      DEFAULT_KEEP_DAYS,
    )
    .option('--as <newname>', 'a new cluster of this name; the old one is not touched')
    .option(
      '--table <db.schema.table>',
      'only this table, into the running cluster; may be repeated',
      collect,
    )
    .option('--dump [id]', 'databases of a logical backup, into the running cluster (default: the newest)')
    .option('--database <name>', 'with --dump: only this database; may be repeated', collect)
    .option('--into <name>', 'with --table: the schema, with --dump: the database that it is put into')
    .option('--list', 'restores that wait for their cutover')
    .option('--discard <id>', 'delete a restore')
    .option('--manifest <file>', 'found the lost cluster of this manifest anew, from its backups')
    .option('--key <file>', 'with --manifest: the saved key of the backups')
    .action(async (name: string | undefined, flags: RestoreFlags, self: Command) => {
      await cli.run(
        self,
        async session => {
          const [{ restore }, { restoreText, restoreToDocument }] = await Promise.all([
            import('./handler.ts'),
            import('./render.ts'),
          ]);
          const outcome = await restore(session, name, flags);
          session.print(restoreToDocument(outcome), () => restoreText(outcome, session));
          return undefined;
        },
        {
          timeoutMs: 24 * 60 * 60_000,
          interrupted: session =>
            `what was being restored is gone, the cluster was not touched; a cutover that was begun is finished by: ${session.command(['restore', name ?? 'NAME', '--cutover'])}`,
        },
      );
    });
  return withExamples(command, [
    ['pgherd restore wichtige-daten-3 --to "2026-11-22 14:03:00"', 'beside the cluster, to look at'],
    ['pgherd restore wichtige-daten-3 --cutover', 'put it in place'],
    ['pgherd restore wichtige-daten-3 --to "1 hour ago" --as kopie', 'a clone'],
    ['pgherd restore wichtige-daten-3 --to 14:03 --table schule.public.noten', 'bring one table back'],
    ['pgherd restore wichtige-daten-3 --dump --database schule --into schule_alt', 'from a logical backup'],
    ['pgherd restore --manifest wichtige-daten-3.yaml --from nas --key key.txt', 'on a new machine'],
  ]);
}

function parseDays(text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new InvalidArgumentError('Write a number of days.');
  return Number(text);
}
