import { describe, expect, it } from 'vitest';
import { shellQuote } from '../../lib/shell.ts';
import { bullets, fold, labelled } from './fold.ts';
import { createLook } from './look.ts';
import { table } from './table.ts';

describe('table', () => {
  it('aligns columns and leaves no blanks at the ends', () => {
    const lines = table(
      [
        ['a', '1', 'x'],
        ['long', '100', ''],
      ],
      { header: ['NAME', 'N', 'REST'], alignRight: [1] },
    );
    expect(lines).toEqual(['  NAME    N  REST', '  a       1  x', '  long  100']);
  });

  it('drops a column that is empty in every row', () => {
    expect(table([['a', '', 'b']], { header: ['X', 'Y', 'Z'], indent: 0 })).toEqual(['X  Z', 'a  b']);
  });

  it('does not count emphasis as width', () => {
    const paint = (text: string): string => `<<${text}>>`;
    const lines = table(
      [
        [{ text: 'a', paint }, 'b'],
        ['long', 'c'],
      ],
      { indent: 0 },
    );
    expect(lines).toEqual(['<<a>>     b', 'long  c']);
  });
});

describe('fold', () => {
  it('breaks at blanks and keeps long words whole', () => {
    expect(fold('one two three', 7)).toEqual(['one two', 'three']);
    expect(fold('incomprehensible is long', 5)).toEqual(['incomprehensible', 'is', 'long']);
    expect(fold('', 10)).toEqual([]);
  });

  it('keeps what is labelled beside its label', () => {
    expect(
      labelled(
        [
          ['RPO', 'nothing at all'],
          ['LABEL', 'x'],
        ],
        18,
      ),
    ).toEqual(['  RPO    nothing', '         at all', '  LABEL  x']);
  });

  it('indents the further lines of a bullet', () => {
    expect(bullets(['one two three'], 12, '- ')).toEqual(['  - one two', '    three']);
  });
});

describe('shellQuote', () => {
  it.each([
    ['plain-word_1.2/3:4', 'plain-word_1.2/3:4'],
    ['', "''"],
    ['two words', "'two words'"],
    ["it's", "'it'\\''s'"],
    ['$(rm)', "'$(rm)'"],
  ])('%s', (word, quoted) => {
    expect(shellQuote(word)).toBe(quoted);
  });
});

describe('look', () => {
  it('is plain without colours', () => {
    const look = createLook(false);
    expect([look.strong('a'), look.bad('b'), look.named('x', 'c')]).toEqual(['a', 'b', 'c']);
  });

  it('gives the same name the same colour', () => {
    const look = createLook(true);
    expect(look.named('etcd-0', 'a')).toBe(look.named('etcd-0', 'a'));
    expect(look.good('')).toBe('');
  });
});
