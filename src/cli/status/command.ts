import { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { withExamples } from '../help.ts';

/** `pgherd status NAME` */
export function statusCommand(cli: Cli): Command {
  const command = new Command('status')
    .summary('is it healthy, and what would be lost if the primary died now?')
    .description(
      'Observes the cluster and judges it: the verdict and its reasons, what a failover now would lose, members ' +
        'with roles, timelines and lag, endpoints, servers, the promise in force, what to do next.\n' +
        'Exit code 0 for healthy or stopped on purpose, 2 for degraded or down.',
    )
    .argument('<name>', 'name of the cluster')
    .option('-w, --watch', 'observe every second: redraws on a terminal, else prints a line per change')
    .action(async (name: string, options: { watch?: boolean }, self: Command) => {
      const watching = options.watch === true;
      await cli.run(
        self,
        async session => {
          if (watching) return (await import('./watch.ts')).watchStatus(session, name);
          const [{ readStatus, exitCodeOf }, { statusText, statusToDocument }] = await Promise.all([
            import('./handler.ts'),
            import('./render.ts'),
          ]);
          const outcome = await readStatus(session, name);
          session.print(statusToDocument(outcome), () => statusText(outcome, session));
          return exitCodeOf(outcome.verdict);
        },
        { timeoutMs: watching ? undefined : 30_000 },
      );
    });
  return withExamples(command, [
    ['pgherd status wichtige-daten-3', 'one look'],
    ['pgherd status wichtige-daten-3 --watch', 'keep looking while something happens'],
    [
      'pgherd status wichtige-daten-3 --output json | jq -r .verdict',
      'for scripts; the exit code says it too',
    ],
  ]);
}
