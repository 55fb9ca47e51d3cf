import { resolve } from 'node:path';
import type { Command } from 'commander';
import { Option } from 'commander';
import { parseDuration } from './text/units.ts';

/** Options that every command takes, wherever they stand on the command line. */
export interface Globals {
  output: 'text' | 'json';
  /** undefined: whichever namespace has the one cluster of that name. */
  namespace: string | undefined;
  /** undefined: not named by an option, so PGHERD_STATE_DIR or the default holds. */
  stateDir: string | undefined;
  /** Either of the two: the clusters meant are on Kubernetes, not on this machine. */
  kubeconfig: string | undefined;
  context: string | undefined;
  color: boolean;
  timeoutMs: number | undefined;
  verbose: boolean;
}

/** Adds the global options to the root of the command tree. */
export function addGlobalOptions(program: Command): Command {
  return program
    .addOption(
      new Option('-o, --output <format>', 'text for people, or json with a stable schema')
        .choices(['text', 'json'])
        .default('text'),
    )
    .option(
      '-n, --namespace <namespace>',
      'namespace of the cluster (default: where its name is the only one)',
    )
    .option('--state-dir <directory>', 'where everything about clusters is kept (or: PGHERD_STATE_DIR)')
    .option('--kubeconfig <file>', 'clusters on Kubernetes, reached by this file')
    .option('--context <name>', 'clusters on Kubernetes, in this context of the kubeconfig')
    .option('--no-color', 'plain text (or: NO_COLOR)')
    .option('--timeout <duration>', 'give up after this time, for example 90s or 5m', parseDuration)
    .option('-v, --verbose', 'on a failure, say where in the program it happened');
}

/** The global options of a parsed command. */
export function globalsOf(command: Command, cwd: string): Globals {
  const options = command.optsWithGlobals<Record<string, unknown>>();
  const text = (name: string): string | undefined =>
    typeof options[name] === 'string' && options[name] !== '' ? options[name] : undefined;
  const stateDir = text('stateDir');
  return {
    output: options.output === 'json' ? 'json' : 'text',
    namespace: text('namespace'),
    stateDir: stateDir === undefined ? undefined : resolve(cwd, stateDir),
    kubeconfig: text('kubeconfig'),
    context: text('context'),
    color: options.color !== false,
    timeoutMs: typeof options.timeout === 'number' ? options.timeout : undefined,
    verbose: options.verbose === true,
  };
}
