import { describe, expect, it } from 'vitest';
import { UsageError } from '../usage.ts';
import { count, formatAge, formatBytes, formatDuration, parseDuration, parseSince } from './units.ts';

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 kB'],
    [1536, '1.5 kB'],
    [150 * 1024, '150 kB'],
    [16 * 1024 ** 2, '16.0 MB'],
    [3 * 1024 ** 4, '3.0 TB'],
  ])('%d is %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

describe('formatDuration', () => {
  it.each([
    [-5, '0.0 s'],
    [123, '0.1 s'],
    [9_949, '9.9 s'],
    [9_951, '10 s'],
    [119_000, '119 s'],
    [120_000, '2 min'],
    [135_000, '2 min 15 s'],
    [11 * 60_000 + 30_000, '11 min'],
    [3 * 3_600_000, '3 h'],
    [3 * 3_600_000 + 60_000, '3 h 1 min'],
    [50 * 3_600_000, '2 d 2 h'],
    [400 * 24 * 3_600_000, '400 d'],
  ])('%d ms are %s', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
  });
});

describe('formatAge', () => {
  const now = new Date('2026-01-01T00:01:00Z');
  it('counts from the moment to now', () => expect(formatAge('2026-01-01T00:00:00Z', now)).toBe('60 s'));
  it('shows nothing where nothing is known', () => expect(formatAge(undefined, now)).toBe('-'));
});

describe('count', () => {
  it('knows one from many', () => {
    expect([0, 1, 2].map(n => count(n, 'member'))).toEqual(['0 members', '1 member', '2 members']);
  });
});

describe('parseDuration', () => {
  it.each([
    ['90', 90_000],
    ['1.5', 1_500],
    ['250ms', 250],
    ['90s', 90_000],
    ['10m', 600_000],
    ['1h30m', 5_400_000],
    ['2d', 172_800_000],
  ])('%s', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  it.each(['', 'm', '-5s', '5 minutes', '10y', 'tomorrow'])('refuses "%s" with an example', text => {
    expect(() => parseDuration(text)).toThrow(UsageError);
  });
});

describe('parseSince', () => {
  const now = new Date('2026-01-01T12:00:00Z');
  it.each([
    ['10m', '2026-01-01T11:50:00.000Z'],
    ['2025-12-24', '2025-12-24T00:00:00.000Z'],
    ['2025-12-24T18:00:00Z', '2025-12-24T18:00:00.000Z'],
    ['2025-12-24 18:00', '2025-12-24T18:00:00.000Z'],
    ['2025-12-24T18:00:00+01:00', '2025-12-24T17:00:00.000Z'],
    ['2025-12-24T18:00:00.250Z', '2025-12-24T18:00:00.250Z'],
  ])('%s', (text, moment) => {
    expect(parseSince(text, now).toISOString()).toBe(moment);
  });

  it.each(['2025-13-40', 'yesterday'])('refuses "%s"', text => {
    expect(() => parseSince(text, now)).toThrow(UsageError);
  });
});
