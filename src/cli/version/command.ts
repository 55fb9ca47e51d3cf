import { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { withExamples } from '../help.ts';
import type { VersionDocument } from '../schema.ts';

/** `pgherd version` */
export function versionCommand(cli: Cli): Command {
  const command = new Command('version')
    .summary('the version of pgherd')
    .description(
      'Prints the version of pgherd and of Node. The servers have versions of their own: `pgherd setup --check`.',
    )
    .action(async (_options: object, self: Command) => {
      await cli.run(
        self,
        async session => {
          const versions = await cli.surroundings.adapters.versions();
          const document: VersionDocument = { schema: 1, ...versions };
          session.print(document, () => `pgherd ${versions.pgherd} (Node ${versions.node})`);
          return undefined;
        },
        { timeoutMs: 10_000 },
      );
    });
  return withExamples(command, [
    ['pgherd version', 'for people'],
    ['pgherd version --output json | jq -r .pgherd', 'for scripts'],
  ]);
}
