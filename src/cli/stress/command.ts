import { Command, InvalidArgumentError, Option } from 'commander';
import type { Cli } from '../cli.ts';
import { ENDPOINT_WORDS } from '../endpoints.ts';
import { withExamples } from '../help.ts';
import { parseDuration } from '../text/units.ts';
import type { StressOptions } from './options.ts';

/** `pgherd stress NAME` */
export function stressCommand(cli: Cli): Command {
  const command = new Command('stress')
    .summary('many clients at once: are all of them served, and how fast?')
    .description(
      'Connects clients as applications do (TLS, passwords), lets each read a random row of the table testdaten every ' +
        'half second, and tells who was served: throughput, latencies, errors by SQLSTATE, the longest gap.\n' +
        'The load begins when all clients are connected, or when no more of them can. It is real load: other ' +
        'applications of the cluster feel it. Ctrl-C ends it with a report of what was measured.\n' +
        'Exit code 0 when every client was served as fast as it wanted, else 2.',
    )
    .argument('<name>', 'name of the cluster')
    .option(
      '--fill <rows>',
      'first make testdaten with so many made-up people; replaces its own table only',
      parseRows,
    )
    .option('--seed <number>', 'other people with another number (default: 1)', parseSeed)
    .addOption(
      new Option('--clients <number>', 'clients at once').argParser(parseClients).default(300, '300'),
    )
    .addOption(
      new Option('--duration <duration>', 'how long, such as 30s or 5m; 0 with --fill: no load')
        .argParser(parseDuration)
        .default(30_000, '30s'),
    )
    .addOption(
      new Option(
        '--interval <duration>',
        "from one statement of a client to its next; 0: at the answer's heels",
      )
        .argParser(parseDuration)
        .default(500, '500ms'),
    )
    .addOption(
      new Option('--write-ratio <share>', 'share of writes, 0 to 1, to a table of its own')
        .argParser(parseShare)
        .default(0, '0'),
    )
    .addOption(
      new Option(
        '--endpoint <endpoint>',
        'where to connect (default: pooler if the manifest has one, else primary)',
      ).choices(ENDPOINT_WORDS),
    )
    .addOption(
      new Option('--compare', 'straight to the primary, then through the pooler, side by side').conflicts(
        'endpoint',
      ),
    )
    .option('--connect-each-time', 'a new connection for every statement, without pacing')
    .addOption(
      new Option('--script <file>', 'each client runs this SQL over and over instead').conflicts(
        'writeRatio',
      ),
    )
    .option('--report <file>', 'write the report as an HTML page as well')
    .option('--user <user>', 'role (default: the owner of the database)')
    .option('--database <database>', 'database (default: the first one of the manifest)')
    .action(async (name: string, options: StressOptions, self: Command) => {
      await cli.run(
        self,
        async session => {
          const [{ stress, exitCodeOf }, { stressText, stressToDocument }] = await Promise.all([
            import('./handler.ts'),
            import('./render.ts'),
          ]);
          const outcome = await stress(session, name, options);
          session.print(stressToDocument(outcome), () => stressText(outcome, session));
          return exitCodeOf(outcome);
        },
        {
          timeoutMs: undefined,
          interrupted: () => 'no load was run; a table that was being filled is as it was before',
        },
      );
    });
  return withExamples(command, [
    [
      'pgherd stress wichtige-daten-3 --fill 10000',
      'make the table, then 300 readers for 30 seconds through the pooler',
    ],
    ['pgherd stress wichtige-daten-3 --compare', 'with and without the pooler, side by side'],
    [
      'pgherd stress wichtige-daten-3 --clients 5000 --interval 5s --duration 2m --report stress.html',
      'five thousand clients, and a page with plots',
    ],
    [
      'pgherd stress wichtige-daten-3 --clients 50 --interval 0 --write-ratio 0.2',
      'how much it can do: no pauses, every fifth statement a write',
    ],
    ['pgherd stress wichtige-daten-3 --fill 1000000 --duration 0', 'only make the table'],
  ]);
}

function parseRows(text: string): number {
  const rows = Number(text.replaceAll('_', ''));
  if (!/^[\d_]+$/.test(text) || rows < 1 || rows > 1e9)
    throw new InvalidArgumentError('Write a number of rows, from 1 to 1000000000.');
  return rows;
}

function parseSeed(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Write a whole number of at most nine digits.');
  return Number(text);
}

function parseClients(text: string): number {
  const clients = Number(text);
  if (!/^\d{1,6}$/.test(text) || clients < 1)
    throw new InvalidArgumentError('Write a number of clients, 1 or more.');
  return clients;
}

function parseShare(text: string): number {
  const share = Number(text);
  if (!/^(\d+(\.\d*)?|\.\d+)$/.test(text) || share > 1)
    throw new InvalidArgumentError('Write a share from 0 to 1, for example 0.2.');
  return share;
}
