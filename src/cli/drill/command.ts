import { Command, Option } from 'commander';
import type { Cli } from '../cli.ts';
import { withExamples } from '../help.ts';
import { parseCount } from '../parse.ts';
import { parseDuration } from '../text/units.ts';
import { UsageError } from '../usage.ts';

interface Options {
  list?: boolean;
  all?: boolean;
  repeat: number;
  cap: number;
  reports?: string;
  yesBreak?: string;
  endpoint?: 'primary' | 'pooler';
  user?: string;
  database?: string;
}

const DEFAULT_CAP_MS = 5 * 60_000;

/** `pgherd drill NAME FAULT...`, `pgherd drill --list`, `pgherd drill clean NAME` */
export function drillCommand(cli: Cli): Command {
  const command = new Command('drill')
    .summary('break something on purpose and measure what clients notice')
    .description(
      'Puts load on the cluster, injects a fault, waits until the cluster is whole again, and tells: how long writes ' +
        'and reads stood still, whether an acknowledged write was lost, when redundancy was back. Only on clusters ' +
        'made with `up --allow-drills`, or with the name typed. `pgherd drill clean <name>` takes back what a killed ' +
        'drill left broken.',
    )
    .usage('<name> [options] [faults...]')
    .argument('[name]', 'name of the cluster')
    .argument('[faults...]', 'numbers or names of the faults, as --list shows them')
    .option(
      '--list',
      'the faults, what each promises, and whether it can run on the cluster, if one is named',
    )
    .option('--all', 'every fault that can be injected here')
    .option('--repeat <n>', 'run each so often, and tell median, p95 and maximum', parseCount, 1)
    .option('--cap <duration>', 'longest time for one drill (default: 5m)', parseDuration, DEFAULT_CAP_MS)
    .option('--reports <directory>', 'where histories and pages go (default: below the state directory)')
    .option('--yes-break <name>', 'the name of the cluster once more, instead of typing it')
    .addOption(
      new Option(
        '--endpoint <endpoint>',
        'the load comes through this one only: what an application there notices (default: through all)',
      ).choices(['primary', 'pooler']),
    )
    .option('--user <user>', 'role of the load (default: the owner of the database)')
    .option('--database <database>', 'database of the load (default: the first one of the manifest)')
    .action(async (name: string | undefined, faults: string[], options: Options, self: Command) => {
      const interrupted = 'every fault was taken back; the cluster heals what is left';
      await cli.run(
        self,
        async session => {
          if (options.list === true) {
            const [{ listDrills }, { listText, listToDocument }] = await Promise.all([
              import('./list.ts'),
              import('./render.ts'),
            ]);
            const drills = await listDrills(session, name);
            session.print(listToDocument(drills), () => listText(drills, session));
            return undefined;
          }
          if (name === undefined) {
            throw new UsageError('which cluster?', 'pgherd drill NAME FAULT..., or pgherd drill --list');
          }
          if (name === 'clean') {
            const [{ cleanDrills }, { cleanText, cleanToDocument }] = await Promise.all([
              import('./clean.ts'),
              import('./render.ts'),
            ]);
            const outcome = await cleanDrills(session, faults);
            session.print(cleanToDocument(outcome), () => cleanText(outcome));
            return undefined;
          }
          const [{ drill }, { drillText, drillToDocument }] = await Promise.all([
            import('./handler.ts'),
            import('./render.ts'),
          ]);
          const outcome = await drill(session, name, faults, {
            all: options.all === true,
            repeat: options.repeat,
            capMs: options.cap,
            reports: options.reports,
            confirmed: options.yesBreak,
            endpoint: options.endpoint,
            user: options.user,
            database: options.database,
          });
          session.print(drillToDocument(outcome), () => drillText(outcome, session));
          return outcome.exitCode;
        },
        { timeoutMs: undefined, interrupted: () => interrupted },
      );
    });
  return withExamples(command, [
    ['pgherd drill --list', 'the faults'],
    ['pgherd drill wichtige-daten-3 A1', 'kill PostgreSQL of the primary'],
    ['pgherd drill wichtige-daten-3 switchover --repeat 20', 'twenty switchovers: median, p95, maximum'],
    ['pgherd drill wichtige-daten-3 --all', 'everything that can be injected here'],
    ['pgherd drill clean wichtige-daten-3', 'after a drill that was killed'],
  ]);
}
