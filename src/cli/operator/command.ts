import { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { withExamples } from '../help.ts';
import { parsePort } from '../parse.ts';

/** `pgherd operator` */
export function operatorCommand(cli: Cli): Command {
  const command = new Command('operator')
    .summary('run clusters on Kubernetes from their manifests')
    .description(
      'Watches `postgresql` objects in Kubernetes and makes, changes, repairs and removes the clusters they describe, ' +
        'until it is stopped. Runs inside a cluster, or beside it by KUBECONFIG, --kubeconfig and --context. Several may run: one acts, the others wait.',
    )
    .option('--config <file>', "the operator's configuration, YAML: images, namespaces, defaults")
    .option('--metrics-port <port>', 'port of /metrics, /healthz and /readyz (default: 8080)', parsePort)
    .action(async (options: OperatorFlags, self: Command) => {
      await cli.run(
        self,
        async session => {
          const { operate } = await import('./handler.ts');
          await operate(session, options);
          return undefined;
        },
        { timeoutMs: undefined },
      );
    });
  return withExamples(command, [
    ['pgherd operator --config operator.yaml', 'with the current context of the kubeconfig'],
    ['pgherd operator --context school -n databases', 'for the clusters of one namespace'],
  ]);
}

export interface OperatorFlags {
  config?: string;
  metricsPort?: number;
}
