import { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { withExamples } from '../help.ts';

/** `pgherd switchover NAME` */
export function switchoverCommand(cli: Cli): Command {
  const command = new Command('switchover')
    .summary('move the primary in order, without losing a write')
    .description(
      'Hands the role of the primary to a standby that has everything. Writes stop for about two seconds: ' +
        'clients of the pooler wait, sessions straight to the primary are cut. Refused where no standby is fit.',
    )
    .argument('<name>', 'name of the cluster')
    .option('--to <member>', 'the new primary (default: the best standby)')
    .action(async (name: string, options: { to?: string }, self: Command) => {
      await cli.run(
        self,
        async session => {
          const [{ switchoverTo }, { moveText, moveToDocument }] = await Promise.all([
            import('./handler.ts'),
            import('../move.ts'),
          ]);
          const outcome = await switchoverTo(session, name, options);
          session.print(moveToDocument(outcome), () => moveText(outcome, session));
          return undefined;
        },
        {
          timeoutMs: 3 * 60_000,
          interrupted: session =>
            `Patroni may still complete the move; look: ${session.command(['status', name])}`,
        },
      );
    });
  return withExamples(command, [
    ['pgherd switchover wichtige-daten-3', 'to the best standby'],
    ['pgherd switchover wichtige-daten-3 --to wichtige-daten-3-1', 'to this one'],
  ]);
}
