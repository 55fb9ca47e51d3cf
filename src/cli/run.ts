import { CommanderError } from 'commander';
import { Cli } from './cli.ts';
import { EXIT } from './failure.ts';
import { buildProgram } from './program.ts';
import type { Surroundings } from './surroundings.ts';
import { UsageError } from './usage.ts';

/** Runs one command line to its end. Resolves with the exit code; never rejects for what a user can cause. */
export async function runCli(surroundings: Surroundings): Promise<number> {
  const { own, passed } = splitArguments(surroundings.argv);
  const cli = new Cli(surroundings, passed, wantsJson(own));
  const program = buildProgram(cli);
  cli.commandNames = program.commands.map(command => command.name());
  let complaint = '';
  const output = {
    writeOut: (text: string) => void surroundings.stdout.write(text),
    writeErr: (text: string) => {
      complaint += text;
    },
  };
  for (const command of [program, ...program.commands]) command.configureOutput(output);
  try {
    if (own.length === 0) program.help();
    await program.parseAsync([...own], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) {
      await cli.refuse(error);
    } else if (error.exitCode !== EXIT.done) {
      await cli.refuse(new UsageError(...explain(complaint || error.message, own, cli.commandNames)));
    }
  }
  return cli.exitCode;
}

/** Words behind the first `--` belong to another program; commander would mix them with its own. */
export function splitArguments(argv: readonly string[]): {
  own: readonly string[];
  passed: readonly string[];
} {
  const place = argv.indexOf('--');
  return place < 0 ? { own: argv, passed: [] } : { own: argv.slice(0, place), passed: argv.slice(place + 1) };
}

/** Whether JSON is asked for, as far as can be told of a command line that may not parse. */
function wantsJson(argv: readonly string[]): boolean {
  return argv.some(
    (word, i) =>
      /^(--output=|-o=?)json$/.test(word) || (word === 'json' && /^(-o|--output)$/.test(argv[i - 1] ?? '')),
  );
}

/** Commander's complaint, in the form of our other errors. */
function explain(
  complaint: string,
  argv: readonly string[],
  commands: readonly string[],
): [message: string, hint: string] {
  const [first = '', ...rest] = complaint.trim().split('\n');
  const suggestion = rest
    .find(line => line.includes('Did you mean'))
    ?.replace(/[()]/g, '')
    .trim();
  const command = argv.find(word => commands.includes(word));
  if (command === 'psql' && first.includes('unknown option')) {
    return [
      first.replace(/^error: /, ''),
      "psql's own options stand behind --: pgherd psql NAME -- -c 'select 1'",
    ];
  }
  const help = `see: pgherd ${command === undefined ? '' : `${command} `}--help`;
  return [first.replace(/^error: /, ''), suggestion === undefined ? help : `${suggestion}\n${help}`];
}
