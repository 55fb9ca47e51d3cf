import { expect, test } from 'vitest';
import { parseControlData } from './controlData.ts';
import { logErrors, parseHistory, renderScratchConfig, type ScratchInput } from './scratchConfig.ts';

const CONTROL = `pg_control version number:            1300
Database system identifier:           7711055124199572907
Database cluster state:               in production
Latest checkpoint location:           0/23000028
wal_level setting:                    logical
max_connections setting:              150
max_worker_processes setting:         8
max_wal_senders setting:              10
max_prepared_xacts setting:           3
max_locks_per_xact setting:           64
Data page checksum version:           1
`;

function input(changes: Partial<ScratchInput>): ScratchInput {
  const control = parseControlData(CONTROL);
  if (control === undefined) throw new Error('the sample is no control data');
  return {
    dataDirectory: '/s/pgdata',
    socketDirectory: '/s/sock',
    hbaFile: '/s/hba',
    identFile: '/s/ident',
    control,
    restoreCommand: "archive-get '%p'",
    target: undefined,
    timeline: undefined,
    preload: undefined,
    disposable: false,
    ...changes,
  };
}

test('control data: identifier, limits, checksums', () => {
  expect(parseControlData(CONTROL)).toMatchObject({
    systemIdentifier: '7711055124199572907',
    walLevel: 'logical',
    checksums: true,
    limits: { max_connections: '150', max_prepared_transactions: '3' },
  });
  expect(parseControlData('pg_controldata: error: no such file')).toBeUndefined();
});

test('the server can replay what its primary wrote, and nobody reaches it', () => {
  const text = renderScratchConfig(input({}));
  expect(text).toContain("max_connections = '150'\n");
  expect(text).toContain("wal_level = 'logical'\n");
  expect(text).toContain("listen_addresses = ''\n");
  expect(text).toContain("restore_command = 'archive-get ''%p'''\n");
});

test('it archives nothing, but keeps what is to be archived later', () => {
  expect(renderScratchConfig(input({}))).toContain("archive_mode = 'on'\narchive_command = ''\n");
  expect(renderScratchConfig(input({ disposable: true }))).toContain("archive_mode = 'off'\n");
});

test.each([
  [{ kind: 'time', at: '2026-11-22T10:00:00Z' }, "recovery_target_time = '2026-11-22 10:00:00+00'"],
  [{ kind: 'lsn', lsn: '0/5000000' }, "recovery_target_lsn = '0/5000000'"],
  [{ kind: 'xid', xid: '750' }, "recovery_target_xid = '750'"],
  [{ kind: 'name', name: "it's" }, "recovery_target_name = 'it''s'"],
  [{ kind: 'immediate' }, "recovery_target = 'immediate'"],
] as const)('%j', (target, line) => {
  const text = renderScratchConfig(input({ target, timeline: 3 }));
  expect(text).toContain(`${line}\nrecovery_target_action = 'promote'\n`);
  expect(text).toContain("recovery_target_timeline = '3'\n");
});

test('errors of a log by SQLSTATE', () => {
  const log = [
    '2026-11-22 17:52:43.703 GMT [23767] 00000 LOG:  redo done at 0/5018070',
    '2026-11-22 17:52:43.703 GMT [23767] XX000 FATAL:  recovery ended before configured recovery target was reached',
    'ERROR: [042]: unable to get 000000010000000000000003:',
  ].join('\n');
  expect(logErrors(log)).toEqual([
    { pid: 23767, sqlstate: 'XX000', text: 'recovery ended before configured recovery target was reached' },
  ]);
});

test('the history of a timeline tells where it began', () => {
  expect(
    parseHistory(
      '1\t0/3000000\tno recovery target specified\n\n2\t0/5012158\tbefore 2026-11-22 17:52:20+00\n',
    ),
  ).toEqual({ parent: 2, lsn: '0/5012158', reason: 'before 2026-11-22 17:52:20+00' });
  expect(parseHistory('')).toBeUndefined();
});
