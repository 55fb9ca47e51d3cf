import { expect, test } from 'vitest';
import type { BackupSpec } from '../../../core/manifest/specBackup.ts';
import type { ScheduleMemory } from '../../../core/schedule/memory.ts';
import { type BackupHealth, judgeHealth } from './health.ts';

const spec: BackupSpec = {
  repositories: [{ name: 'members', kind: 'members' }],
  encryption: true,
  compression: 'zst',
  schedule: { full: '0 1 * * 0', differential: '0 1 * * 1-6', incremental: undefined, timeZone: 'UTC' },
  retention: { by: 'full', amount: 2 },
  verify: { afterBackup: 'full', schedule: undefined },
  logical: {
    enabled: false,
    schedule: '0 2 * * *',
    retention: undefined,
    directory: undefined,
    format: 'custom',
  },
};
const since = '2026-11-01T00:00:00.000Z';
const memory: ScheduleMemory = {
  schema: 1,
  lines: { full: { text: '0 1 * * 0 UTC', since }, differential: { text: '0 1 * * 1-6 UTC', since } },
  runs: {},
};
/** Sunday. */
const full = {
  id: '20261122-010000F',
  type: 'full' as const,
  startedAt: '2026-11-22T01:00:05.000Z',
  finishedAt: '2026-11-22T01:00:50.000Z',
};

function health(change: Partial<BackupHealth> = {}, repository: object = {}): BackupHealth {
  return {
    at: '2026-11-22T02:00:00.000Z',
    repositories: [{ name: 'members', state: 'ready', backups: [full], ...repository }],
    failures: [],
    ...change,
  };
}

const said = (known: BackupHealth | undefined, now: string, given = memory) =>
  judgeHealth(spec, { health: known, memory: given }, new Date(now));

test('where no repository is wanted nothing is said', () => {
  const none = { ...spec, repositories: [] };
  expect(judgeHealth(none, { health: undefined, memory }, new Date())).toBeUndefined();
});

test('nobody has looked yet', () => {
  expect(said(undefined, since)).toMatchObject({ status: 'Unknown', reason: 'NotYet' });
});

test('a backup that does for the schedule is healthy, until the next one is two hours late', () => {
  expect(said(health(), '2026-11-23T02:59:00Z')).toMatchObject({ status: 'True', reason: 'BackedUp' });
  expect(said(health(), '2026-11-23T03:01:00Z')).toMatchObject({
    status: 'False',
    reason: 'Late',
    message: 'members: no differential backup since 2026-11-23T01:00:00.000Z',
  });
});

test('what a line asked for before it was written is not late', () => {
  const fresh = { ...memory, lines: { full: { text: '0 1 * * 0 UTC', since: '2026-11-23T02:00:00.000Z' } } };
  expect(said(health(), '2026-11-23T03:01:00Z', fresh)?.status).toBe('True');
});

test.each([
  [
    'a repository that does not answer',
    health({}, { state: 'unreachable', problem: 'gone' }),
    'RepositoryNotReady',
  ],
  [
    'a run that failed',
    health({ failures: [{ what: 'the backup into members', message: 'x' }] }),
    'BackupFailed',
  ],
  [
    'an archive that fails for long',
    health({ archive: { failingSince: '2026-11-22T01:30:00.000Z', failure: 'x' } }),
    'ArchiveFailing',
  ],
  [
    'a proof that failed',
    health({}, { proof: { at: since, outcome: 'damaged', problem: 'a file is missing' } }),
    'BackupDamaged',
  ],
])('%s is not healthy', (_what, known, reason) => {
  expect(said(known, '2026-11-22T02:00:00Z')).toMatchObject({ status: 'False', reason });
});

test('an archive that fails for a moment is no word worth, and no backup yet no failure', () => {
  const moment = health({ archive: { failingSince: '2026-11-22T01:58:00.000Z', failure: 'x' } });
  expect(said(moment, '2026-11-22T02:00:00Z')?.status).toBe('True');
  expect(said(health({}, { state: 'empty', backups: [] }), since)).toMatchObject({ status: 'Unknown' });
});
