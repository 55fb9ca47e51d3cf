import { expect, test } from 'vitest';
import type { ArchiveFacts, BackupSet } from './facts.ts';
import { parseProofs, proofOf, withProof } from './proof.ts';
import { shortfall } from './shortfall.ts';

const set = {
  timeline: 1,
  wal: { first: '000000010000000000000002', last: '000000010000000000000002' },
  lsn: { start: '0/2000028', stop: '0/2000100' },
} as BackupSet;
const archive = (last: string, ...more: ArchiveFacts['ranges']): ArchiveFacts => ({
  ranges: [{ timeline: 1, first: '000000010000000000000001', last, count: 1 }, ...more],
  timelines: [],
});

test('the last segment counts, however little of it was written', () => {
  const whole = archive('000000010000000000000005');
  expect(shortfall(set, whole, 1, '0/5018070')).toBeUndefined();
  expect(shortfall(set, whole, 1, '0/5000000')).toBeUndefined();
  expect(shortfall(set, whole, undefined, '0/6000000')).toBeUndefined();
});

test('a segment that could not be read is named', () => {
  const whole = archive('000000010000000000000005');
  expect(shortfall(set, whole, 1, '0/3FFFFF0')).toBe('000000010000000000000003');
  expect(shortfall(set, whole, 1, '0/4000000')).toBe('000000010000000000000004');
});

test('a gap in the listing is one as well', () => {
  const gap = archive('000000010000000000000003', {
    timeline: 1,
    first: '000000010000000000000005',
    last: '000000010000000000000006',
    count: 2,
  });
  expect(shortfall(set, gap, 1, '0/3FFFFF0')).toBe('000000010000000000000004');
});

test('of each backup in each repository the last proof is kept', () => {
  const proof = { backup: 'A', durationMs: 1, outcome: 'proven' as const, problems: [] };
  let document = withProof([], { ...proof, repository: 'nas', at: '2026-01-01T00:00:00Z' });
  document = withProof(document.proofs, { ...proof, repository: 'copy', at: '2026-01-02T00:00:00Z' });
  document = withProof(document.proofs, { ...proof, repository: 'nas', at: '2026-01-03T00:00:00Z' });
  const known = parseProofs(JSON.parse(JSON.stringify(document)));
  expect(known).toHaveLength(2);
  expect(proofOf(known, 'nas', 'A')?.at).toBe('2026-01-03T00:00:00Z');
  expect(proofOf(known, 'nas', 'B')).toBeUndefined();
  expect(parseProofs('rubbish')).toEqual([]);
});
