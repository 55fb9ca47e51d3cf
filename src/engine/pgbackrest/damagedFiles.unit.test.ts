import { expect, test } from 'vitest';
import { damagedFiles } from './output.ts';

test('names of damaged files are read from the log of pgBackRest 2.45', () => {
  const log = `2026-11-22 19:02:06.001 P00   INFO: verify command begin 2.45: --config=/x --exec-id=1-2
2026-11-22 19:02:06.787 P01   INFO: invalid checksum '20261122-190201F/pg_data/base/4/2674.zst'
2026-11-22 19:02:07.433 P01   INFO: file missing '20261122-190201F/pg_data/PG_VERSION.zst'
2026-11-22 19:02:06.992 P00   INFO: stanza: demo
                                    status: error
2026-11-22 19:02:06.992 P00   INFO: verify command end: completed successfully (1619ms)`;
  expect(damagedFiles(log)).toEqual([
    'invalid checksum 20261122-190201F/pg_data/base/4/2674.zst',
    'file missing 20261122-190201F/pg_data/PG_VERSION.zst',
  ]);
});
