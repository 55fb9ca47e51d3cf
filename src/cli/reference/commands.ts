import type { Argument, Command, Option } from 'commander';
import { examplesOf } from '../help.ts';

/** The page docs/reference/commands.md, made from the command tree so that it cannot be wrong. */
export function commandsPage(program: Command): string {
  const visible = program.commands.filter(command => !['keeper', 'chores'].includes(command.name()));
  return [
    '# Commands',
    '',
    'Made from the command tree of `src/cli/program.ts`; `npx vitest run --project unit -u src/cli` writes it anew.',
    '',
    'Exit codes of every command: 0 done; 1 failed; 2 degraded, refused or misunderstood, and nothing was touched;',
    '130 interrupted by Ctrl-C (143 by TERM). `psql` exits as psql does. Results go to stdout, progress and',
    'errors to stderr. What `--output json` prints is described in [json.md](json.md).',
    '',
    '## Options of every command',
    '',
    ...optionRows(program.options),
    '',
    ...visible.flatMap(section),
  ].join('\n');
}

function section(command: Command): string[] {
  const { registeredArguments, options } = command;
  const facts = [...registeredArguments.map(argumentRow), ...options.map(optionRow)];
  return [
    `## \`${`pgherd ${command.name()} ${usage(command)}`.trimEnd()}\``,
    '',
    command.description().replaceAll('\n', ' '),
    '',
    ...(facts.length === 0 ? [] : [...HEADER, ...facts, '']),
    '```sh',
    ...examplesOf(command).flatMap(([line, meaning]) => [`# ${meaning}`, line]),
    '```',
    '',
  ];
}

function usage(command: Command): string {
  return command.usage().replace('[options] ', '').replace(' [options]', '').replace('[options]', '').trim();
}

const HEADER = ['| | |', '|---|---|'];

function optionRows(options: readonly Option[]): string[] {
  return [...HEADER, ...options.map(optionRow)];
}

function optionRow(option: Option): string {
  const choices = option.argChoices === undefined ? '' : `: ${option.argChoices.join(', ')}`;
  const standard = option.defaultValueDescription;
  const otherwise = standard === undefined ? '' : ` (default: ${standard})`;
  return row(option.flags, `${option.description}${choices}${otherwise}`);
}

function argumentRow(argument: Argument): string {
  const name = argument.required ? `<${argument.name()}>` : `[${argument.name()}]`;
  return row(name, argument.description);
}

function row(name: string, text: string): string {
  return `| \`${name}\` | ${text.replaceAll('|', '\\|')} |`;
}
