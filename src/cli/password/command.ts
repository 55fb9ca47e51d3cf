import { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { withExamples } from '../help.ts';

/** `pgherd password NAME USER` */
export function passwordCommand(cli: Cli): Command {
  const command = new Command('password')
    .summary('the generated password of a user')
    .description('Prints the password of a user of the cluster, and nothing else.')
    .argument('<name>', 'name of the cluster')
    .argument('<user>', 'role, for example one of the manifest, or postgres')
    .action(async (name: string, user: string, _options: object, self: Command) => {
      await cli.run(
        self,
        async session => {
          const [{ openCluster }, { credentialsOf }, { passwordToDocument }] = await Promise.all([
            import('../target.ts'),
            import('../credentials.ts'),
            import('./render.ts'),
          ]);
          const cluster = await openCluster(session, name);
          const credentials = await credentialsOf(cluster, user);
          session.print(passwordToDocument(cluster.ref, user, credentials), () => credentials.password);
          return undefined;
        },
        { timeoutMs: 30_000 },
      );
    });
  return withExamples(command, [
    ['pgherd password wichtige-daten-3 bauer', 'show it'],
    [
      'PGPASSWORD="$(pgherd password wichtige-daten-3 bauer)" psql -h ... -U bauer',
      'hand it to a client, not as an argument',
    ],
  ]);
}
