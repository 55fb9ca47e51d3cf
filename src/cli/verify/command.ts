import { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { withExamples } from '../help.ts';

/** `pgherd verify NAME` */
export function verifyCommand(cli: Cli): Command {
  const command = new Command('verify')
    .summary('prove backups: restore them for real, and check what comes out')
    .description(
      'Restores the newest backup of each repository into a server of its own, with WAL from that repository alone, ' +
        'replays it to the end, checks tables, indexes, checksums and the ledger, and throws it away. Exits 1 when a ' +
        'backup is damaged; what is damaged is named.',
    )
    .argument('<name>', 'name of the cluster')
    .option('--backup <id>', 'this backup (default: the newest of each repository)')
    .option('--repo <repository>', 'in this repository only')
    .action(async (name: string, options: { backup?: string; repo?: string }, self: Command) => {
      await cli.run(
        self,
        async session => {
          const [{ verify }, { verifyText, verifyToDocument }] = await Promise.all([
            import('./handler.ts'),
            import('./render.ts'),
          ]);
          const outcome = await verify(session, name, options);
          session.print(verifyToDocument(outcome), () => verifyText(outcome, session));
          return outcome.proofs.every(({ outcome: found }) => found === 'proven') ? undefined : 1;
        },
        {
          timeoutMs: 24 * 60 * 60_000,
          interrupted: () => 'nothing is left of the restore; the backup counts as not verified',
        },
      );
    });
  return withExamples(command, [
    ['pgherd verify wichtige-daten-3', 'the newest backup in each repository'],
    ['pgherd verify wichtige-daten-3 --repo nas', 'the newest one there'],
  ]);
}
