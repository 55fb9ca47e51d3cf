import { expect, test } from 'vitest';
import { addressOf, canonical } from './addresses.ts';

test('addresses of the kernel are read as people write them', () => {
  expect(addressOf('0702010A')).toBe('10.1.2.7');
  expect(addressOf('0000000000000000FFFF00000702010A')).toBe('10.1.2.7');
  expect(addressOf('B80D01200000000067452301EFCDAB89')).toBe('2001:db8::123:4567:89ab:cdef');
  expect(addressOf('')).toBeUndefined();
  expect(canonical('2001:DB8:0:0:0:0:0:1')).toBe('2001:db8::1');
  expect(canonical('10.1.2.7')).toBe('10.1.2.7');
});
