import { Command, Option } from 'commander';
import type { Cli } from '../cli.ts';
import { ENDPOINT_WORDS, type EndpointWord } from '../endpoints.ts';
import { withExamples } from '../help.ts';

interface Options {
  admin?: boolean;
  read?: boolean;
  endpoint?: EndpointWord;
  user?: string;
  database?: string;
}

/** `pgherd psql NAME [-- psql's own words]` */
export function psqlCommand(cli: Cli): Command {
  const command = new Command('psql')
    .summary('a psql session in the cluster')
    .description(
      "Runs psql as the owner of the manifest's first database on the primary endpoint. What stands behind -- is " +
        "psql's own; its exit code is ours.",
    )
    .usage('<name> [options] [-- <words for psql>]')
    .argument('<name>', 'name of the cluster')
    .addOption(
      new Option('--admin', 'as the superuser postgres, on the primary').conflicts([
        'read',
        'user',
        'endpoint',
      ]),
    )
    .addOption(new Option('--read', 'on a standby').conflicts('endpoint'))
    .addOption(
      new Option('--endpoint <endpoint>', 'where to connect (default: primary)').choices(ENDPOINT_WORDS),
    )
    .option('--user <user>', 'role (default: the owner of the database)')
    .option('--database <database>', 'database (default: the first one of the manifest)')
    .action(async (name: string, options: Options, self: Command) => {
      await cli.run(
        self,
        async session => {
          const { psql } = await import('./handler.ts');
          return psql(session, name, options, cli.passed);
        },
        { timeoutMs: undefined, passes: true },
      );
    });
  return withExamples(command, [
    ['pgherd psql wichtige-daten-3', 'a session as the owner of the first database'],
    ["pgherd psql wichtige-daten-3 -- -c 'select now()'", 'one statement'],
    ['pgherd psql wichtige-daten-3 --admin --database firmendaten', 'as superuser'],
    ['pgherd psql wichtige-daten-3 < dump.sql', 'from a file'],
  ]);
}
