import { expect, test } from 'vitest';
import { parseTable } from './tables.ts';

test('names of tables', () => {
  expect(parseTable('schule.public.noten')).toEqual({ database: 'schule', schema: 'public', table: 'noten' });
  expect(parseTable('schule.noten')).toEqual({ database: 'schule', schema: 'public', table: 'noten' });
});

test.each(['noten', 'a.b.c.d', '', 'a..b', '.a'])('"%s" names none', text => {
  expect(() => parseTable(text)).toThrow(expect.objectContaining({ code: 'bad-table' }));
});
