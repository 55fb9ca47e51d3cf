import { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { withExamples } from '../help.ts';

/** `pgherd reinit NAME MEMBER` */
export function reinitCommand(cli: Cli): Command {
  const command = new Command('reinit')
    .summary('build a broken standby anew from the primary')
    .description('Copies the data of the primary to a standby once more. Refused for the primary itself.')
    .argument('<name>', 'name of the cluster')
    .argument('<member>', 'the standby to build anew')
    .action(async (name: string, member: string, _options: object, self: Command) => {
      await cli.run(
        self,
        async session => {
          const [{ reinit }, { reinitText, reinitToDocument }] = await Promise.all([
            import('./handler.ts'),
            import('./render.ts'),
          ]);
          const outcome = await reinit(session, name, member);
          session.print(reinitToDocument(outcome), () => reinitText(outcome, session));
          return undefined;
        },
        {
          timeoutMs: 60 * 60_000,
          interrupted: session =>
            `Patroni goes on copying by itself; look: ${session.command(['status', name])}`,
        },
      );
    });
  return withExamples(command, [
    ['pgherd reinit wichtige-daten-3 wichtige-daten-3-2', 'a standby that cannot follow any more'],
    ['pgherd reinit wichtige-daten-3 wichtige-daten-3-2 --timeout 4h', 'with a lot of data'],
  ]);
}
