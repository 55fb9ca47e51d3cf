import { expect, test } from 'vitest';
import { stampedLine, stampOf } from './podLog.ts';

test('stamps of any zone and precision sort like moments', () => {
  const texts = [
    '2026-11-23T02:00:00+01:00 first',
    '2026-11-23T01:00:00.1Z second',
    '2026-11-23T01:00:00.123456789Z third  with spaces ',
  ];
  const lines = texts.map(stampedLine);
  expect(lines.map(line => line?.stamp)).toEqual([
    '2026-11-23T01:00:00.000000000Z',
    '2026-11-23T01:00:00.100000000Z',
    '2026-11-23T01:00:00.123456789Z',
  ]);
  expect(lines[2]?.text).toBe('third  with spaces ');
  const stamp = stampOf(new Date('2026-11-23T01:00:00.100Z'));
  expect(stamp).toBe(lines[1]?.stamp);
});

test('an empty line is a line; what bears no stamp is the kubelet’s own', () => {
  expect(stampedLine('2026-11-23T01:00:00Z ')?.text).toBe('');
  expect(stampedLine('2026-11-23T01:00:00Z')?.text).toBe('');
  expect(stampedLine('unable to retrieve container logs')).toBeUndefined();
});
