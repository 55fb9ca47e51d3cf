import { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { withExamples } from '../help.ts';
import { collect, parseLines } from '../parse.ts';

interface Options {
  follow?: boolean;
  since?: string;
  component?: string[];
  tail?: number;
}

/** `pgherd logs NAME` */
export function logsCommand(cli: Cli): Command {
  const command = new Command('logs')
    .summary('what all servers say, merged in time order')
    .description(
      'Prints the logs of PostgreSQL, Patroni, etcd, the poolers and the proxy as one stream. ' +
        'With --output json one document per line.',
    )
    .argument('<name>', 'name of the cluster')
    .option(
      '-f, --follow',
      'keep printing what is added; begins with the last 20 lines unless told otherwise',
    )
    .option('--since <time>', 'only from then on: 10m, 2h, or 2026-11-22T10:00:00Z')
    .option('--component <component>', 'only this server, or this kind of servers; may be repeated', collect)
    .option('--tail <lines>', 'only the last lines', parseLines)
    .action(async (name: string, options: Options, self: Command) => {
      await cli.run(
        self,
        async session => {
          const { logs } = await import('./handler.ts');
          await logs(session, name, {
            ...options,
            follow: options.follow === true,
            component: options.component ?? [],
          });
          return undefined;
        },
        { timeoutMs: options.follow === true ? undefined : 5 * 60_000 },
      );
    });
  return withExamples(command, [
    ['pgherd logs wichtige-daten-3 --since 10m', 'the last ten minutes of everything'],
    ['pgherd logs wichtige-daten-3 -f --component wichtige-daten-3-0', 'follow one member'],
    ['pgherd logs wichtige-daten-3 --component etcd --tail 50', 'all servers of a kind'],
    ['pgherd logs wichtige-daten-3 --output json | jq -r .text', 'for scripts'],
  ]);
}
