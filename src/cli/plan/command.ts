import { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { withExamples } from '../help.ts';
import { parsePort } from '../parse.ts';
import type { PlanFlags } from './run.ts';

/** `pgherd plan FILE` */
export function planCommand(cli: Cli): Command {
  const command = new Command('plan')
    .summary('what `up` would do, and why')
    .description(
      'Compares the manifest with what runs and says each step that `up` would take: what, why, and what clients ' +
        'would notice. Touches nothing.',
    )
    .argument('<file>', 'manifest of kind postgresql; - reads standard input')
    .option('--listen <address>', 'as for `up`')
    .option('--port <port>', 'as for `up`', parsePort)
    .option('--strict-version', 'as for `up`')
    .action(async (file: string, options: PlanFlags, self: Command) => {
      const { runPlan } = await import('./run.ts');
      await runPlan(cli, self, file, options);
    });
  return withExamples(command, [
    ['pgherd plan cluster.yaml', 'the steps of the next `up`, in its order'],
    ['pgherd plan cluster.yaml --output json | jq -r ".steps[].summary"', 'for scripts'],
  ]);
}
