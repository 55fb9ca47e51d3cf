import type { Command } from 'commander';

/** A command line to copy, and what it does. */
export type Example = readonly [line: string, meaning: string];

const known = new WeakMap<Command, readonly Example[]>();

/** Adds examples to the help of a command. */
export function withExamples(command: Command, examples: readonly Example[]): Command {
  known.set(command, examples);
  return command.addHelpText('after', () => `\nExamples:\n${exampleLines(examples).join('\n')}`);
}

/** The examples of a command, for the reference. */
export function examplesOf(command: Command): readonly Example[] {
  return known.get(command) ?? [];
}

function exampleLines(examples: readonly Example[]): string[] {
  return examples.flatMap(([line, meaning]) => [`  ${line}`, `      ${meaning}`]);
}
