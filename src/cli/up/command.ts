import { Command, Option } from 'commander';
import type { Cli } from '../cli.ts';
import { withExamples } from '../help.ts';
import { parsePort } from '../parse.ts';
import { parseDuration } from '../text/units.ts';

interface Options {
  dryRun?: boolean;
  listen?: string;
  port?: number;
  strictVersion?: boolean;
  isolate?: boolean;
  allowDrills?: boolean;
  lockWait: number;
}

/** Copying the data of a large cluster to a new standby takes its time. */
const TIMEOUT_MS = 60 * 60_000;

/** `pgherd up FILE` */
export function upCommand(cli: Cli): Command {
  const command = new Command('up')
    .summary('create a cluster, change it, or start it again')
    .description(
      'Makes the cluster what its manifest says: creates it, changes what differs, starts what is stopped. ' +
        'Ends when the cluster takes writes. Running it again does no harm, and finishes what was interrupted.',
    )
    .argument('<file>', 'manifest of kind postgresql; - reads standard input')
    .option('--dry-run', 'only say what would be done, like `pgherd plan`')
    .option(
      '--listen <address>',
      'address for the endpoints that the manifest exposes; `loopback` takes it back',
    )
    .option('--port <port>', 'port of the primary endpoint; the other ports follow it', parsePort)
    .option('--strict-version', 'refuse if the major version of the manifest cannot be had')
    .option(
      '--isolate',
      'give each member a network and a volume of its own, as machines have (needs root; only when it is created)',
    )
    .option('--allow-drills', 'let drills break this cluster without the name being typed')
    .option('--no-allow-drills', 'take that back')
    .addOption(
      new Option('--lock-wait <duration>', 'how long to wait for another command that changes the cluster')
        .argParser(parseDuration)
        .default(60_000, '60s'),
    )
    .action(async (file: string, options: Options, self: Command) => {
      if (options.dryRun === true) {
        const { runPlan } = await import('../plan/run.ts');
        return runPlan(cli, self, file, options);
      }
      await cli.run(
        self,
        async session => {
          const [{ up }, { upText, upToDocument }] = await Promise.all([
            import('./handler.ts'),
            import('./render.ts'),
          ]);
          const result = await up(session, file, {
            ...placementOf(options),
            isolate: options.isolate,
            allowDrills: options.allowDrills,
            lockWaitMs: options.lockWait,
            timeoutMs: session.globals.timeoutMs ?? TIMEOUT_MS,
          });
          session.print(upToDocument(result), () => upText(result, session));
          return undefined;
        },
        {
          timeoutMs: TIMEOUT_MS,
          interrupted: session =>
            `what was done so far stays as it is; the same command goes on from there: ${session.command(['up', file])}`,
        },
      );
    });
  return withExamples(command, [
    ['pgherd up examples/wichtige-daten-3.yaml', 'create the cluster, or bring it up to date after an edit'],
    ['pgherd up cluster.yaml --dry-run', 'show the steps, touch nothing'],
    ['pgherd up cluster.yaml --listen 10.0.145.130', 'let other machines reach the exposed endpoints'],
    ['pgherd up cluster.yaml --output json | jq -r .url', 'for scripts'],
    ['pgherd up cluster.yaml --isolate --allow-drills', 'a cluster to rehearse faults on'],
  ]);
}

/** The options of `up` and `plan` that say where a cluster is reached. */
export function placementOf(options: Pick<Options, 'listen' | 'port' | 'strictVersion'>) {
  return { listen: options.listen, port: options.port, strictVersion: options.strictVersion === true };
}
