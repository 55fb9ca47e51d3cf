import { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { withExamples } from '../help.ts';

/** `pgherd restart NAME [MEMBER]` */
export function restartCommand(cli: Cli): Command {
  const command = new Command('restart')
    .summary('restart PostgreSQL, one member after the other')
    .description(
      'Without a member: a rolling restart, standbys first, the primary last; the primary is restarted in place. With a ' +
        'member: only that one.',
    )
    .argument('<name>', 'name of the cluster')
    .argument('[member]', 'only this member')
    .action(async (name: string, member: string | undefined, _options: object, self: Command) => {
      await cli.run(
        self,
        async session => {
          const [{ restartMembers }, { restartText, restartToDocument }] = await Promise.all([
            import('./handler.ts'),
            import('./render.ts'),
          ]);
          const outcome = await restartMembers(session, name, member);
          session.print(restartToDocument(outcome), () => restartText(outcome, session));
          return undefined;
        },
        {
          timeoutMs: 15 * 60_000,
          interrupted: session =>
            `members restarted so far stay so, a restart that began ends by itself; look: ${session.command(['status', name])}`,
        },
      );
    });
  return withExamples(command, [
    ['pgherd restart wichtige-daten-3', 'rolling, so that parameters which need a restart take effect'],
    ['pgherd restart wichtige-daten-3 wichtige-daten-3-2', 'one member'],
  ]);
}
