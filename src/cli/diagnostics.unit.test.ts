import { describe, expect, it } from 'vitest';
import { renderDiagnostic, renderShortDiagnostic } from './diagnostics.ts';

const source = 'kind: postgresql\nspec:\n  numberOfInstances: three\n';
const finding = {
  severity: 'error',
  code: 'wrong-type',
  path: 'spec.numberOfInstances',
  line: 3,
  column: 22,
  message: '"three" is no number',
  hint: 'write 3',
} as const;

describe('renderDiagnostic', () => {
  it('points at the place in the text', () => {
    expect(renderDiagnostic(finding, 'c.yaml', source)).toBe(
      [
        'c.yaml:3:22: error: "three" is no number (spec.numberOfInstances)',
        '    3 |   numberOfInstances: three',
        '      |                      ^',
        '      hint: write 3',
      ].join('\n'),
    );
  });

  it('does without an excerpt where the text has no such line', () => {
    const lines = renderDiagnostic({ ...finding, line: 99, hint: '', path: '' }, 'c.yaml', source).split(
      '\n',
    );
    expect(lines).toEqual(['c.yaml:99:22: error: "three" is no number']);
  });

  it('keeps the caret below its column when there are tabs, and out of lines that are cut', () => {
    expect(renderDiagnostic({ ...finding, line: 1, column: 2 }, 'c', '\tx').split('\n')[2]).toBe(
      '      |  ^',
    );
    const long = renderDiagnostic({ ...finding, line: 1, column: 300 }, 'c', 'x'.repeat(400)).split('\n');
    expect(long).toHaveLength(3);
  });
});

describe('renderShortDiagnostic', () => {
  it('is the headline and the hint', () => {
    const warning = { ...finding, severity: 'warning' } as const;
    expect(renderShortDiagnostic(warning, 'c.yaml')).toBe(
      'c.yaml:3:22: warning: "three" is no number (spec.numberOfInstances)\n  hint: write 3',
    );
  });
});
