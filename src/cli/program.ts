import { Command } from 'commander';
import { backupCommand } from './backup/command.ts';
import { backupKeyCommand } from './backupKey/command.ts';
import { backupsCommand } from './backups/command.ts';
import { choresCommand } from './chores/command.ts';
import type { Cli } from './cli.ts';
import { destroyCommand } from './destroy/command.ts';
import { downCommand } from './down/command.ts';
import { drillCommand } from './drill/command.ts';
import { eventsCommand } from './events/command.ts';
import { expireCommand } from './expire/command.ts';
import { failoverCommand } from './failover/command.ts';
import { addGlobalOptions } from './globals.ts';
import { withExamples } from './help.ts';
import { keeperCommand } from './keeper/command.ts';
import { listCommand } from './list/command.ts';
import { logsCommand } from './logs/command.ts';
import { operatorCommand } from './operator/command.ts';
import { passwordCommand } from './password/command.ts';
import { planCommand } from './plan/command.ts';
import { psqlCommand } from './psql/command.ts';
import { reinitCommand } from './reinit/command.ts';
import { restartCommand } from './restart/command.ts';
import { restoreCommand } from './restore/command.ts';
import { setupCommand } from './setup/command.ts';
import { statusCommand } from './status/command.ts';
import { stressCommand } from './stress/command.ts';
import { switchoverCommand } from './switchover/command.ts';
import { topologyCommand } from './topology/command.ts';
import { upCommand } from './up/command.ts';
import { urlCommand } from './url/command.ts';
import { verifyCommand } from './verify/command.ts';
import { versionCommand } from './version/command.ts';

/** In the order of the help: what a new user needs first stands first. */
const GROUPS: readonly [title: string, commands: readonly ((cli: Cli) => Command)[]][] = [
  [
    'Clusters:',
    [upCommand, planCommand, listCommand, statusCommand, topologyCommand, downCommand, destroyCommand],
  ],
  ['Connecting:', [psqlCommand, urlCommand, passwordCommand]],
  [
    'Operating:',
    [switchoverCommand, failoverCommand, restartCommand, reinitCommand, logsCommand, eventsCommand],
  ],
  [
    'Backing up:',
    [backupCommand, backupsCommand, verifyCommand, restoreCommand, expireCommand, backupKeyCommand],
  ],
  ['Proving:', [stressCommand, drillCommand]],
  ['Kubernetes:', [operatorCommand]],
  ['This machine:', [setupCommand, versionCommand]],
];

/** The whole command tree. Handlers are loaded when their command runs. */
export function buildProgram(cli: Cli): Command {
  const program = withExamples(
    addGlobalOptions(
      new Command('pgherd')
        .description('One manifest, one PostgreSQL cluster that heals itself.')
        .usage('<command> [options]')
        .helpCommand('help [command]', 'help for a command')
        .configureHelp({ showGlobalOptions: true })
        .showSuggestionAfterError(true)
        // Whoever adds a word too many, or an option that does not exist, meant something by it.
        .allowExcessArguments(false)
        .exitOverride(),
    ),
    [
      [
        'pgherd up examples/wichtige-daten-3.yaml',
        'create the cluster of a manifest, or bring it up to date',
      ],
      ['pgherd status wichtige-daten-3', 'is it healthy, and what would be lost if the primary died now?'],
      ['pgherd psql wichtige-daten-3', 'a session in its first database'],
      ['pgherd <command> --help', 'options and examples of a command'],
    ],
  ).addHelpText(
    'after',
    '\nExit codes: 0 done, 1 failed, 2 degraded, refused or misunderstood, 130 interrupted.',
  );

  for (const [title, commands] of GROUPS) {
    for (const build of commands) add(program, build(cli).helpGroup(title));
  }
  for (const hidden of [keeperCommand, choresCommand])
    program.addCommand(inherit(program, hidden(cli)), { hidden: true });
  return program;
}

function add(program: Command, command: Command): void {
  program.addCommand(inherit(program, command));
}

/** addCommand leaves the parent's settings behind, `command()` would have taken them along. */
function inherit(program: Command, command: Command): Command {
  return command.copyInheritedSettings(program).allowExcessArguments(false);
}
