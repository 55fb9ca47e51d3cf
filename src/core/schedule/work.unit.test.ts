import { describe, expect, test } from 'vitest';
import type { BackupSpec } from '../manifest/specBackup.ts';
import { noBackups } from '../plan/testing/fixture.ts';
import type { BackupObservation, BackupSet, RepositoryFacts } from './facts.ts';
import { noteEnd, noteLines, noteStart, parseMemory, type ScheduleMemory, settle } from './memory.ts';
import { dueWork, scheduleLines, type WorkFacts } from './work.ts';

const spec: BackupSpec = {
  ...noBackups,
  repositories: [{ name: 'nas', kind: 'directory', path: '/mnt/nas', type: 'auto' }],
  schedule: { full: '0 1 * * 0', differential: '0 1 * * 1-6', incremental: undefined, timeZone: 'UTC' },
};
const at = (text: string) => new Date(text);
const set = (type: BackupSet['type'], startedAt: string, id = startedAt): BackupSet => ({
  id,
  repository: 'nas',
  type,
  startedAt,
  finishedAt: startedAt,
  needs: [],
  timeline: 1,
  wal: { first: '', last: '' },
  lsn: { start: '0/0', stop: '0/0' },
  databaseBytes: 0,
  repositoryBytes: 0,
  ownBytes: 0,
  pageErrors: false,
});
const repository = (facts: Partial<RepositoryFacts> = {}): RepositoryFacts => ({
  name: 'nas',
  kind: 'directory',
  where: '/mnt/nas',
  state: 'ready',
  problem: undefined,
  freeBytes: undefined,
  encrypted: true,
  backups: [],
  archive: undefined,
  ...facts,
});
const seen = (...repositories: RepositoryFacts[]): BackupObservation => ({
  observedAt: '2026-11-22T00:00:00Z',
  repositories,
  archiver: undefined,
  key: undefined,
});
/** The schedule has been what it is since long ago. */
const old = noteLines(parseMemory(undefined), scheduleLines(spec), at('2026-01-01T00:00:00Z'));
const facts = (now: string, more: Partial<WorkFacts> = {}): WorkFacts => ({
  memory: old,
  observed: seen(repository()),
  lastDump: undefined,
  proofs: [],
  now: at(now),
  ...more,
});
// A Sunday.
const SUNDAY = '2026-11-22T01:00:00Z';
const MONDAY = '2026-11-23T01:00:00Z';

describe('physical backups', () => {
  test('a repository without a backup gets a full one at once', () => {
    expect(dueWork(spec, facts('2026-11-25T12:00:00Z')).work).toEqual([
      { kind: 'backup', job: 'backup nas', repository: 'nas', type: 'full', reason: 'it holds no backup' },
    ]);
  });

  test('a lost copy gets one, although memory says that all was done', () => {
    const memory = noteEnd(noteStart(old, 'backup nas', at(SUNDAY)), 'backup nas', undefined, at(SUNDAY));
    expect(dueWork(spec, facts('2026-11-22T01:05:00Z', { memory })).work).toMatchObject([{ type: 'full' }]);
  });

  test('nothing is due while the last ones are newer than the last moments', () => {
    const observed = seen(repository({ backups: [set('full', SUNDAY), set('differential', MONDAY)] }));
    const { work, look } = dueWork(spec, facts('2026-11-23T01:10:00Z', { observed }));
    expect(work).toEqual([]);
    expect(look).toEqual(at('2026-11-23T01:20:00Z'));
  });

  test('the next moment is looked at when it comes', () => {
    const observed = seen(repository({ backups: [set('full', SUNDAY)] }));
    expect(dueWork(spec, facts('2026-11-23T00:55:00Z', { observed })).look).toEqual(at(MONDAY));
  });

  test('after days of darkness there is one, the most complete of those that were missed', () => {
    const observed = seen(repository({ backups: [set('full', '2026-11-15T01:00:05Z')] }));
    expect(dueWork(spec, facts('2026-11-24T12:00:00Z', { observed })).work).toMatchObject([
      { type: 'full', reason: 'missed at 2026-11-22T01:00:00Z' },
    ]);
  });

  test('a full one that somebody took does for the differential one', () => {
    const observed = seen(repository({ backups: [set('full', '2026-11-23T01:30:00Z')] }));
    expect(dueWork(spec, facts('2026-11-23T12:00:00Z', { observed })).work).toEqual([]);
  });

  test('what failed is tried again later; the look is then', () => {
    const memory = noteEnd(noteStart(old, 'backup nas', at(MONDAY)), 'backup nas', 'no room', at(MONDAY));
    const observed = seen(repository({ backups: [set('full', SUNDAY)] }));
    const early = dueWork(spec, facts('2026-11-23T01:02:00Z', { memory, observed }));
    expect(early).toEqual({
      work: [],
      look: at('2026-11-23T01:05:00Z'),
      open: new Set(['backup nas']),
    });
    expect(dueWork(spec, facts('2026-11-23T01:05:00Z', { memory, observed })).work).toMatchObject([
      { type: 'differential', reason: 'scheduled for 2026-11-23T01:00:00Z, attempt 2' },
    ]);
  });

  test.each(['unreachable', 'read-only', 'damaged'] as const)('one that is %s is left alone', state => {
    expect(
      dueWork(spec, facts('2026-11-25T12:00:00Z', { observed: seen(repository({ state })) })).work,
    ).toEqual([]);
  });

  test('each repository has its own turn', () => {
    const observed = seen(
      repository({ name: 'members/demo-0', backups: [set('full', SUNDAY)] }),
      repository(),
    );
    expect(dueWork(spec, facts('2026-11-22T12:00:00Z', { observed })).work).toMatchObject([
      { repository: 'nas' },
    ]);
  });
});

describe('logical backups', () => {
  const logical = { ...spec, logical: { ...spec.logical, enabled: true } };
  const memory = noteLines(old, scheduleLines(logical), at('2026-11-20T12:00:00Z'));
  const observed = seen();

  test('are due at their moment, and not once more when one is there', () => {
    const now = '2026-11-21T02:00:00Z';
    expect(dueWork(logical, facts(now, { memory, observed })).work).toEqual([
      { kind: 'dump', job: 'dump', reason: 'scheduled for 2026-11-21T02:00:00Z' },
    ]);
    const done = facts('2026-11-21T02:30:00Z', { memory, observed, lastDump: at('2026-11-21T02:00:01Z') });
    expect(dueWork(logical, done)).toMatchObject({ work: [], look: at('2026-11-22T02:00:00Z') });
  });

  test('that were switched on at noon wait for the night', () => {
    expect(dueWork(logical, facts('2026-11-20T13:00:00Z', { memory, observed })).work).toEqual([]);
  });

  test('whose time was changed to one that has passed today wait for tomorrow', () => {
    const changed = { ...logical, logical: { ...logical.logical, schedule: '0 8 * * *' } };
    const now = at('2026-11-20T13:00:00Z');
    const noted = noteLines(memory, scheduleLines(changed), now);
    expect(dueWork(changed, facts('2026-11-20T13:01:00Z', { memory: noted, observed })).work).toEqual([]);
    expect(dueWork(changed, facts('2026-11-21T08:00:00Z', { memory: noted, observed })).work).toHaveLength(1);
  });
});

describe('proofs', () => {
  const proving = { ...spec, verify: { afterBackup: 'full' as const, schedule: undefined } };
  const observed = seen(
    repository({ backups: [set('full', SUNDAY, 'F1'), set('differential', MONDAY, 'D1')] }),
  );
  const now = '2026-11-23T01:10:00Z';

  test('the newest full backup is proven once', () => {
    expect(dueWork(proving, facts(now, { observed })).work).toEqual([
      {
        kind: 'verify',
        job: 'verify nas',
        repository: 'nas',
        backup: 'F1',
        reason: 'it has not been proven yet',
      },
    ]);
    const proofs = [{ repository: 'nas', backup: 'F1', at: '2026-11-22T01:20:00Z' }];
    expect(dueWork(proving, facts(now, { observed, proofs })).work).toEqual([]);
  });

  test('of all backups, where that is asked for', () => {
    const all = { ...spec, verify: { afterBackup: 'all' as const, schedule: undefined } };
    expect(dueWork(all, facts(now, { observed })).work).toMatchObject([{ backup: 'D1' }]);
  });

  test('by schedule it is the newest of all', () => {
    const nightly = { ...spec, verify: { afterBackup: 'never' as const, schedule: '0 4 * * *' } };
    const memory = noteLines(old, scheduleLines(nightly), at('2026-11-01T00:00:00Z'));
    const proofs = [{ repository: 'nas', backup: 'D1', at: '2026-11-23T01:20:00Z' }];
    const later = dueWork(nightly, facts('2026-11-23T04:00:00Z', { memory, observed, proofs }));
    expect(later.work).toMatchObject([{ kind: 'verify', backup: 'D1' }]);
  });

  test('a try that was killed is not repeated at once', () => {
    const memory = noteStart(old, 'verify nas', at('2026-11-23T01:08:00Z'));
    const early = dueWork(proving, facts(now, { memory, observed }));
    expect(early).toMatchObject({ work: [], look: at('2026-11-23T01:13:00Z') });
  });
});

describe('memory', () => {
  test('survives being written and read', () => {
    const memory: ScheduleMemory = noteEnd(noteStart(old, 'dump', at(SUNDAY)), 'dump', 'no room', at(MONDAY));
    expect(parseMemory(JSON.parse(JSON.stringify(memory)))).toEqual(memory);
    expect(memory.runs.dump).toEqual({
      started: at(SUNDAY).toISOString(),
      ended: at(MONDAY).toISOString(),
      failures: 1,
      message: 'no room',
    });
  });

  test.each([undefined, null, 3, {}, { schema: 2 }, 'x'])('%j is an empty one', document => {
    expect(parseMemory(document)).toEqual({ schema: 1, lines: {}, runs: {} });
  });

  describe('forgets a failure', () => {
    const failed = noteEnd(noteStart(old, 'backup nas', at(MONDAY)), 'backup nas', 'no room', at(MONDAY));
    const left = (observed: BackupObservation | undefined) => {
      const { open } = dueWork(spec, facts('2026-11-23T01:02:00Z', { memory: failed, observed }));
      return settle(failed, open).runs['backup nas']?.failures;
    };

    test('when somebody took the backup by hand', () => {
      expect(left(seen(repository({ backups: [set('full', '2026-11-23T01:01:00Z')] })))).toBe(0);
    });

    test('of a repository that is not wanted any more', () => {
      expect(left(seen(repository({ name: 'other', backups: [set('full', MONDAY)] })))).toBe(0);
    });

    test('but not while it waits for another try, or cannot be told', () => {
      expect(left(seen(repository({ backups: [set('full', SUNDAY)] })))).toBe(1);
      expect(left(seen(repository({ state: 'unreachable' })))).toBe(1);
      expect(left(undefined)).toBe(1);
    });
  });

  test('success takes back what failed', () => {
    const failed = noteEnd(noteStart(old, 'dump', at(SUNDAY)), 'dump', 'no room', at(SUNDAY));
    const done = noteEnd(noteStart(failed, 'dump', at(MONDAY)), 'dump', undefined, at(MONDAY));
    expect(done.runs.dump).toEqual({
      started: at(MONDAY).toISOString(),
      ended: at(MONDAY).toISOString(),
      done: at(MONDAY).toISOString(),
      failures: 0,
    });
  });
});
