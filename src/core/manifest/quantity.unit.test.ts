import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatBytes, formatCpuMillis, parseBytes, parseCpuMillis, parseMilli } from './quantity.ts';

describe('quantities', () => {
  it.each([
    ['0', 0],
    ['10Gi', 10 * 2 ** 30],
    ['1.5Gi', 1.5 * 2 ** 30],
    ['500Mi', 500 * 2 ** 20],
    ['500M', 500e6],
    ['1k', 1000],
    ['1e3', 1000],
    ['1E3', 1000],
    ['1E', 1e18],
    ['12e-1', 2],
    ['.5Ki', 512],
    ['5.', 5],
    ['+1Ki', 1024],
    ['-1Ki', -1024],
    ['1500m', 2],
    ['1n', 1],
  ])('reads %s as %d bytes', (text, bytes) => {
    // 1E is beyond what a number holds exactly, and must not be rounded in silence.
    expect(parseBytes(text)).toBe(bytes > Number.MAX_SAFE_INTEGER ? undefined : bytes);
  });

  it.each([
    '',
    ' ',
    '.',
    '10GB',
    '10 Gi',
    '1,5Gi',
    'Gi',
    '1e',
    '1e1000',
    '1KI',
    '0x10',
    'ten',
    '1Gi ',
    '1m1',
    '--1',
  ])('refuses %j', text => {
    expect(parseMilli(text)).toBeUndefined();
  });

  it.each([
    ['1', 1000],
    ['100m', 100],
    ['0.5', 500],
    ['0.0001', 1],
    ['2k', 2_000_000],
  ])('reads %s as %d millicores', (text, millis) => {
    expect(parseCpuMillis(text)).toBe(millis);
  });

  it('reads back what it writes', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), amount => {
        expect(parseBytes(formatBytes(amount))).toBe(amount);
        expect(parseCpuMillis(formatCpuMillis(amount))).toBe(amount);
      }),
    );
  });

  it('writes the largest unit that is exact', () => {
    expect(formatBytes(2 ** 30)).toBe('1Gi');
    expect(formatBytes(1536 * 2 ** 20)).toBe('1536Mi');
    expect(formatBytes(1000)).toBe('1000');
  });
});
