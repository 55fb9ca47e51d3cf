import { Command } from 'commander';
import type { Cli } from '../cli.ts';

/** `pgherd keeper`: the resident control plane. Started by the platform, not by people. */
export function keeperCommand(cli: Cli): Command {
  return new Command('keeper')
    .summary('the resident control plane')
    .description(
      'Watches over the clusters of a state directory until it is stopped. `up` starts it; people need not.',
    )
    .action(async (_options: object, self: Command) => {
      await cli.run(
        self,
        async session => {
          const { keep } = await import('./handler.ts');
          await keep(session);
          return undefined;
        },
        { timeoutMs: undefined },
      );
    });
}
