import { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { withExamples } from '../help.ts';

/** `pgherd down NAME` */
export function downCommand(cli: Cli): Command {
  const command = new Command('down')
    .summary('stop a cluster, keep its data')
    .description(
      'Stops every server of the cluster in order. Data, configuration and passwords stay; `up` starts it again.',
    )
    .argument('<name>', 'name of the cluster')
    .action(async (name: string, _options: object, self: Command) => {
      await cli.run(
        self,
        async session => {
          const [{ down }, { downText, downToDocument }] = await Promise.all([
            import('./handler.ts'),
            import('./render.ts'),
          ]);
          const outcome = await down(session, name);
          session.print(downToDocument(outcome), () => downText(outcome, session));
          return undefined;
        },
        {
          timeoutMs: 5 * 60_000,
          interrupted: session =>
            `some servers may be stopped; the same command goes on: ${session.command(['down', name])}`,
        },
      );
    });
  return withExamples(command, [
    ['pgherd down wichtige-daten-3', 'stop it'],
    ['pgherd up cluster.yaml', 'start it again'],
  ]);
}
