import { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { withExamples } from '../help.ts';
import { parseMajor } from '../parse.ts';

/** `pgherd setup` */
export function setupCommand(cli: Cli): Command {
  const command = new Command('setup')
    .summary('install what clusters need on this machine')
    .description(
      "Installs Debian's packages of PostgreSQL, etcd, PgBouncer, HAProxy and what Patroni needs, as root or with sudo. " +
        'Enables no service and touches none that runs. `up` does the same by itself when something is missing.',
    )
    .option('--check', 'only say what is there and what is missing; exit code 2 if something is')
    .option(
      '--postgres <major>',
      'major version of PostgreSQL (default: one that is installed, else the newest)',
      parseMajor,
    )
    .action(async (options: { check?: boolean; postgres?: number }, self: Command) => {
      await cli.run(
        self,
        async session => {
          const [{ setUp }, { setupText, setupToDocument }] = await Promise.all([
            import('./handler.ts'),
            import('./render.ts'),
          ]);
          const report = await setUp(session, { check: options.check === true, major: options.postgres });
          session.print(setupToDocument(report), () => setupText(report, session));
          return report.ready ? 0 : 2;
        },
        {
          timeoutMs: 30 * 60_000,
          interrupted: () => 'packages are complete or untouched; run `pgherd setup` again to go on',
        },
      );
    });
  return withExamples(command, [
    ['pgherd setup', 'install what is missing'],
    ['pgherd setup --check', 'only look'],
    ['pgherd setup --postgres 16', 'with this major version'],
  ]);
}
