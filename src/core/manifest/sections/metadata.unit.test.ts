import { describe, expect, it } from 'vitest';
import { errorsOf, findingsOf, manifestWith, specOf } from '../manifestFixture.ts';

function findings(lines: string, options: Parameters<typeof manifestWith>[1] = {}): string[] {
  return findingsOf(manifestWith(lines, options)).filter(found => !found.endsWith('volume.size'));
}

describe('metadata', () => {
  it.each(['a', 'wichtige-daten-3', 'a'.repeat(53)])('takes the name %s', name => {
    expect(specOf(manifestWith('', { name })).name).toBe(name);
  });

  it.each(['A', '3a', 'a-', 'a_b', 'a.b', '"a b"', '""', 'a'.repeat(54), 'ä'])(
    'refuses the name %s',
    name => {
      expect(findings('', { name })).toContain('error wrong-name metadata.name');
    },
  );

  it('proposes a name that fits', () => {
    expect(errorsOf(manifestWith('', { name: 'My_Data.1' }))[0]?.hint).toContain(': my-data-1');
  });

  it('reads namespace, team, labels and annotations, and has defaults for each', () => {
    const text = manifestWith('teamId: acid').replace(
      '  name: herd\n',
      '  name: herd\n  namespace: shop\n  labels: { a: b, example.com/c: "" }\n  annotations: { note: "free text, any" }\n',
    );
    expect(specOf(text)).toMatchObject({
      namespace: 'shop',
      teamId: 'acid',
      labels: { a: 'b', 'example.com/c': '' },
      annotations: { note: 'free text, any' },
    });
    expect(specOf(manifestWith())).toMatchObject({
      namespace: 'default',
      teamId: '',
      labels: {},
      annotations: {},
    });
  });

  it.each([
    ['namespace: Shop', 'wrong-name metadata.namespace'],
    ['labels: { a: "b c" }', 'wrong-label metadata.labels.a'],
    ['labels: { "a b": c }', 'wrong-label metadata.labels["a b"]'],
    ['annotations: { "/a": c }', 'wrong-label metadata.annotations["/a"]'],
  ])('refuses %s', (line, expected) => {
    const text = manifestWith().replace('  name: herd\n', `  name: herd\n  ${line}\n`);
    expect(findingsOf(text)).toContain(`error ${expected}`);
  });
});
