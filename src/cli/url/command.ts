import { Command, Option } from 'commander';
import type { Cli } from '../cli.ts';
import { ENDPOINT_WORDS, type EndpointWord } from '../endpoints.ts';
import { withExamples } from '../help.ts';

interface Options {
  endpoint?: EndpointWord;
  user?: string;
  database?: string;
  password: boolean;
  env?: boolean;
  jdbc?: boolean;
}

/** `pgherd url NAME` */
export function urlCommand(cli: Cli): Command {
  const command = new Command('url')
    .summary('one connection URI, with its password')
    .description(
      'Prints one libpq URI that psql, psycopg2 and node-postgres read alike, or the same for JDBC or as variables.\n' +
        'It contains the password unless --no-password is given: mind where you print it.',
    )
    .argument('<name>', 'name of the cluster')
    .addOption(
      new Option(
        '--endpoint <endpoint>',
        'where to connect (default: pooler if the manifest has one, else primary)',
      ).choices(ENDPOINT_WORDS),
    )
    .option('--user <user>', 'role (default: the owner of the database)')
    .option('--database <database>', 'database (default: the first one of the manifest)')
    .option('--no-password', 'leave the password out')
    .addOption(new Option('--env', 'as PG* variables for a shell').conflicts('jdbc'))
    .option('--jdbc', 'as a JDBC URL')
    .action(async (name: string, options: Options, self: Command) => {
      await cli.run(
        self,
        async session => {
          const [{ connection }, { urlText, urlToDocument }] = await Promise.all([
            import('./handler.ts'),
            import('./render.ts'),
          ]);
          const result = await connection(session, name, { ...options, withPassword: options.password });
          const format = options.env === true ? 'env' : options.jdbc === true ? 'jdbc' : 'uri';
          if (result.note !== undefined && !session.json) session.output.note(result.note);
          session.print(urlToDocument(result), () => urlText(result, format));
          return undefined;
        },
        { timeoutMs: 30_000 },
      );
    });
  return withExamples(command, [
    ['pgherd url wichtige-daten-3', 'for an application: pooler, first database, its owner'],
    ['pgherd url wichtige-daten-3 --endpoint standby --user bauer --database firmendaten', 'every part said'],
    [
      'eval "$(pgherd url wichtige-daten-3 --env)" && psql',
      'into the environment, so that no argument holds the password',
    ],
    ['pgherd url wichtige-daten-3 --jdbc --no-password', 'for Java, without the password'],
  ]);
}
