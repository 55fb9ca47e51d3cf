import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DumpContents, dumpFileNames, dumpId, dumpMoment, parseDumpContents } from './dump.ts';

describe('the name of a dump', () => {
  test('is its moment, in characters that every file system has', () => {
    expect(dumpId(new Date('2026-11-22T02:00:05.678Z'))).toBe('2026-11-22T02-00-05Z');
  });

  test('leads back to the moment', () => {
    const moment = fc.date({
      min: new Date('2000-01-01T00:00:00Z'),
      max: new Date('2099-12-31T00:00:00Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(moment, at => {
        expect(dumpMoment(dumpId(at))?.getTime()).toBe(Math.floor(at.getTime() / 1000) * 1000);
      }),
    );
  });

  test.each(['', '.partial-x-2026-11-22T02-00-05Z', '2026-13-22T02-00-05Z', '2026-11-22', 'lost+found'])(
    '%j is none',
    name => expect(dumpMoment(name)).toBeUndefined(),
  );
});

describe('names of files', () => {
  test('are those of the databases where these are plain', () => {
    expect([...dumpFileNames(['firmendaten', 'post-amt'], 'custom').values()]).toEqual([
      'firmendaten.dump',
      'post-amt.dump',
    ]);
    expect(dumpFileNames(['firmendaten'], 'plain').get('firmendaten')).toBe('firmendaten.sql');
  });

  test.each([
    ['a/b', 'a%2Fb.sql'],
    ['../etc', '%2E.%2Fetc.sql'],
    ['.hidden', '%2Ehidden.sql'],
    ['größe', 'gr%C3%B6%C3%9Fe.sql'],
    ['CON', '_CON.sql'],
    ['globals', 'globals-2.sql'],
    ['a b', 'a%20b.sql'],
    ['100%', '100%25.sql'],
  ])('of %j is %s', (database, file) => {
    expect(dumpFileNames([database], 'plain').get(database)).toBe(file);
  });

  test('differ where case does not count, and hold nothing that a share forbids', () => {
    const name = fc.string({
      minLength: 1,
      maxLength: 8,
      unit: fc.constantFrom('a', 'A', 'ä', '.', '/', ':', '*', '-2', ' ', '\\'),
    });
    fc.assert(
      fc.property(
        fc.uniqueArray(name, { maxLength: 12 }),
        fc.constantFrom('custom', 'plain'),
        (databases, format) => {
          const files = [...dumpFileNames(databases, format).values()];
          expect(files.length).toBe(databases.length);
          expect(new Set(files.map(file => file.toLowerCase())).size).toBe(files.length);
          for (const file of files) expect(file).toMatch(/^[\w%@+-][\w.%@+-]*\.(dump|sql)$/);
        },
      ),
    );
  });
});

describe('the document of a dump', () => {
  const contents: DumpContents = {
    schema: 1,
    uid: 'one',
    cluster: 'demo',
    namespace: 'default',
    id: '2026-11-22T02-00-05Z',
    startedAt: '2026-11-22T02:00:05.000Z',
    endedAt: '2026-11-22T02:00:09.000Z',
    postgres: '15.14',
    format: 'custom',
    files: [{ file: 'globals.sql', holds: 'globals', bytes: 5, sha256: 'ab' }],
  };

  test('is read as it was written', () => {
    expect(parseDumpContents(JSON.stringify(contents))).toEqual(contents);
  });

  test.each(['', '{', '{}', JSON.stringify({ ...contents, schema: 2 })])('%j is none', text => {
    expect(parseDumpContents(text)).toBeUndefined();
  });
});
