import { describe, expect, it } from 'vitest';
import { makeSurroundings } from '../../../test/cli/surroundings.ts';
import { Cli } from '../cli.ts';
import { examplesOf } from '../help.ts';
import { buildProgram } from '../program.ts';
import { commandsPage } from './commands.ts';
import { drillsPage } from './drills.ts';
import { jsonPage } from './json.ts';

const program = buildProgram(new Cli(makeSurroundings().surroundings, [], false));
const people = program.commands.filter(command => !['keeper', 'chores'].includes(command.name()));

describe('reference pages', () => {
  it('commands.md is what the command tree says', async () => {
    await expect(commandsPage(program)).toMatchFileSnapshot('../../../docs/reference/commands.md');
  });

  it('json.md is what the schemas say', async () => {
    await expect(jsonPage()).toMatchFileSnapshot('../../../docs/reference/json.md');
  });

  it('drills.md is what the scenarios say', async () => {
    await expect(drillsPage()).toMatchFileSnapshot('../../../docs/reference/drills.md');
  });
});

describe('help', () => {
  it.each(people.map(command => [command.name(), command] as const))(
    '%s has at least two examples',
    (_, command) => {
      expect(examplesOf(command).length).toBeGreaterThanOrEqual(2);
      for (const [line, meaning] of examplesOf(command)) {
        expect(line).toContain('pgherd');
        expect(meaning).not.toBe('');
      }
    },
  );

  it.each(people.map(command => [command.name(), command] as const))('%s says what it does', (_, command) => {
    expect(command.summary()).not.toBe('');
    expect(command.summary()).not.toMatch(/\.$/);
    expect(command.description()).toMatch(/\.$/);
  });

  it('fits a terminal of 80 columns', () => {
    for (const command of [program, ...people]) {
      const wide = command
        .createHelp()
        .formatHelp(command, command.createHelp())
        .split('\n')
        .filter(line => line.length > 80);
      expect(wide).toEqual([]);
    }
  });

  it('hides the resident control plane', () => {
    expect(program.helpInformation()).not.toContain('keeper');
  });
});
