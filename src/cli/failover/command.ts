import { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { withExamples } from '../help.ts';

/** `pgherd failover NAME --to MEMBER` */
export function failoverCommand(cli: Cli): Command {
  const command = new Command('failover')
    .summary('make a standby the primary when the primary is broken')
    .description(
      'For a cluster without a working primary that does not heal by itself. Says what the new primary lacks, and is ' +
        'refused where acknowledged writes could be lost, unless --accept-loss says that this is meant. ' +
        'With a working primary use switchover.',
    )
    .argument('<name>', 'name of the cluster')
    .requiredOption('--to <member>', 'the new primary')
    .option('--accept-loss', 'go on even if acknowledged writes may be lost')
    .action(async (name: string, options: { to: string; acceptLoss?: boolean }, self: Command) => {
      await cli.run(
        self,
        async session => {
          const [{ failoverTo }, { moveText, moveToDocument }] = await Promise.all([
            import('./handler.ts'),
            import('../move.ts'),
          ]);
          const outcome = await failoverTo(session, name, {
            to: options.to,
            acceptLoss: options.acceptLoss === true,
          });
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
    ['pgherd failover wichtige-daten-3 --to wichtige-daten-3-1', 'refused if anything could be lost'],
    [
      'pgherd failover wichtige-daten-3 --to wichtige-daten-3-2 --accept-loss',
      'rather lose the last writes than wait',
    ],
  ]);
}
