import { describe, expect, it } from 'vitest';
import { all, errorsOf, findingsOf, manifestWith, specOf } from './manifestFixture.ts';
import { parseManifest } from './parse.ts';

function first(text: string) {
  const error = errorsOf(text)[0];
  return error && { code: error.code, line: error.line, column: error.column };
}

describe('what YAML itself allows', { timeout: 60_000 }, () => {
  it.each([
    ['nothing', ''],
    ['blanks', ' \n\n'],
    ['a comment', '# later\n'],
    ['separators', '---\n---\n'],
    ['a byte order mark', '\uFEFF'],
  ])('names a file of %s empty', (_, text) => {
    expect(first(text)).toMatchObject({ code: 'empty-manifest', line: 1, column: 1 });
  });

  it.each([
    ['a tab', 'kind: postgresql\nspec:\n\tusers: {}\n', 3, 1],
    ['an open bracket', 'kind: [a\n', 2, 1],
    ['an open quote', 'kind: "a\n', 2, 1],
    ['a second colon', 'a: b: c\n', 1, 4],
    ['an at sign', 'a: 1\nb: @x\n', 2, 4],
    ['a tag', manifestWith('teamId: !secret x'), 9, 11],
  ])('points at %s', (_, text, line, column) => {
    expect(first(text)).toEqual({ code: 'yaml-syntax', line, column });
  });

  it('reports a tab with the remedy', () => {
    expect(errorsOf('a:\n\tb: 1\n')[0]?.hint).toContain('blanks');
  });

  it('takes one document only, and points at the second', () => {
    expect(first(`---\n${manifestWith()}`)).toBeUndefined();
    expect(first(`${manifestWith()}...\n`)).toBeUndefined();
    const text = manifestWith();
    expect(first(`${text}---\nkind: postgresql\n`)).toEqual({
      code: 'several-documents',
      line: text.split('\n').length + 1,
      column: 1,
    });
  });

  it('refuses a key given twice, at the second, and goes on', () => {
    const text = manifestWith('users: { a: [] }\nusers: { b: [] }\nuser: {}');
    expect(findingsOf(text).slice(0, 2)).toEqual([
      'error duplicate-key spec.users',
      'error unknown-field spec.user',
    ]);
    expect(first(text)).toMatchObject({ line: 10, column: 3 });
  });

  it('refuses keys that are no words', () => {
    expect(findingsOf(manifestWith('? [a]\n: b'))).toContain('error wrong-key spec');
    expect(findingsOf(manifestWith('users: { __proto__: [] }'))).toContain('error wrong-key spec.users');
  });

  it('takes keys that only look like numbers or booleans as they are written', () => {
    expect(specOf(manifestWith('users: { 007: [], on: [] }')).users.map(user => user.name)).toEqual([
      '007',
      'on',
    ]);
  });

  it('expands aliases and merge keys', () => {
    const text = manifestWith(
      'resources: &amounts\n  requests: { memory: 200Mi }\nconnectionPooler:\n  resources:\n    <<: *amounts\n    limits: { memory: 300Mi }',
    );
    expect(specOf(text).pooler.resources).toMatchObject({
      requests: { memoryBytes: 200 * 2 ** 20 },
      limits: { memoryBytes: 300 * 2 ** 20 },
    });
  });

  it('lets a key of the map itself win over a merged one, and reports neither as double', () => {
    const text = manifestWith('connectionPooler: &one { mode: session, user: one }\n').replace(
      'connectionPooler: &one { mode: session, user: one }',
      'podAnnotations: &base { a: "1", b: "1" }\n  serviceAnnotations: { b: "2", <<: *base }',
    );
    const parsed = parseManifest(text);
    expect(parsed.ok && parsed.source.spec.serviceAnnotations).toEqual({ b: '2', a: '1' });
  });

  it.each([
    ['unknown-alias', 'users: *nobody'],
    ['alias-cycle', 'users: &a { x: [*a] }'],
    ['wrong-merge', 'podAnnotations: { <<: 5 }'],
  ])('reports %s', (code, line) => {
    expect(errorsOf(manifestWith(line)).map(error => error.code)).toContain(code);
  });

  it('survives an alias bomb', () => {
    let bomb = 'a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n';
    for (let level = 1; level < 12; level++)
      bomb += `a${level}: &a${level} [${Array(10)
        .fill(`*a${level - 1}`)
        .join(',')}]\n`;
    const started = performance.now();
    expect(first(bomb)?.code).toBe('too-large');
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  it.each([
    ['brackets', '['.repeat(200_000)],
    ['braces', '{a: '.repeat(50_000)],
    ['list marks', '- '.repeat(100_000)],
    ['closed brackets', '['.repeat(5000) + ']'.repeat(5000)],
    ['a long file', 'a: b\n'.repeat(60_000)],
    ['many keys', Array.from({ length: 20_000 }, (_, index) => `k${index}: 1\n`).join('')],
  ])('survives %s without end', (_, text) => {
    const started = performance.now();
    expect(errorsOf(text).length).toBeGreaterThan(0);
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  it('reads unquoted yes, no, on and off as Kubernetes does, and says so', () => {
    const text = manifestWith('enableMasterLoadBalancer: yes\nenableConnectionPooler: off');
    expect(specOf(text)).toMatchObject({ exposed: { primary: true }, pooler: { primary: false } });
    expect(all(parseManifest(text)).filter(found => found.code === 'loose-boolean')).toMatchObject([
      { line: 9, column: 29 },
      { line: 10, column: 27 },
    ]);
    expect(findingsOf(manifestWith('teamId: no'))).toContain('error wrong-type spec.teamId');
  });

  it('counts lines of Windows files the same', () => {
    const text = manifestWith('user: {}');
    expect(first(text.replaceAll('\n', '\r\n'))).toEqual(first(text));
  });
});
