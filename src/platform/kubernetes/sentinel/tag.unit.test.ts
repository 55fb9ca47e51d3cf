import { expect, test } from 'vitest';
import { tagged } from './tag.ts';

test('a member that is not to be asked is tagged beside what it says of itself', () => {
  const status = '{"role":"primary","xlog_location":7,"tags":{"clonefrom":true}}';
  expect(JSON.parse(tagged(status) ?? '')).toEqual({
    role: 'primary',
    xlog_location: 7,
    tags: { clonefrom: true, nofailover: true },
  });
  expect(JSON.parse(tagged('{}') ?? '')).toEqual({ tags: { nofailover: true } });
});

test('what cannot be understood is left alone: it must not keep the key with a primary that is gone', () => {
  for (const status of ['', '{', 'null', '[]', '7', '{"tags":"none"}'])
    expect(tagged(status), status).toBeUndefined();
});
