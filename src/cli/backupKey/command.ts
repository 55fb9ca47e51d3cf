import { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { withExamples } from '../help.ts';

/** `pgherd backup-key NAME` */
export function backupKeyCommand(cli: Cli): Command {
  const command = new Command('backup-key')
    .summary('save the key of the backups elsewhere')
    .description(
      'Prints the key that the repositories are encrypted with, or writes it to a new file, and notes that it was ' +
        'saved. Without it nothing can be restored once this machine is lost.',
    )
    .argument('<name>', 'name of the cluster')
    .option('--file <file>', 'write it to this file, which must not exist yet')
    .action(async (name: string, options: { file?: string }, self: Command) => {
      await cli.run(
        self,
        async session => {
          const [{ backupKey }, { backupKeyText, backupKeyToDocument }] = await Promise.all([
            import('./handler.ts'),
            import('./render.ts'),
          ]);
          const outcome = await backupKey(session, name, { file: options.file });
          session.print(backupKeyToDocument(outcome), () => backupKeyText(outcome));
          return undefined;
        },
        { timeoutMs: 30_000 },
      );
    });
  return withExamples(command, [
    ['pgherd backup-key wichtige-daten-3 --file /media/stick/herd.key', 'to a file'],
    ['pgherd backup-key wichtige-daten-3', 'to standard output, for a password manager'],
  ]);
}
