import { describe, expect, test } from 'vitest';
import { chooseBackups, type Wish } from './choice.ts';
import type { ArchiveFacts, BackupObservation, BackupSet, RepositoryFacts } from './facts.ts';
import { recoverableWindows } from './window.ts';

const any: Wish = { target: undefined, backup: undefined, from: undefined };

/** A full backup of the tenth minute of an hour; its segments' numbers, and their timeline. */
function set(id: string, minute: number, first: number, last = first, timeline = 1): BackupSet {
  const at = (second: number) => `2026-11-22T10:${String(minute).padStart(2, '0')}:0${second}.000Z`;
  return {
    id,
    repository: 'set by repository()',
    type: 'full',
    startedAt: at(0),
    finishedAt: at(5),
    needs: [],
    timeline,
    wal: { first: segment(first, timeline), last: segment(last, timeline) },
    lsn: { start: `0/${first.toString(16)}000028`, stop: `0/${last.toString(16)}000100` },
    databaseBytes: 1,
    repositoryBytes: 1,
    ownBytes: 1,
    pageErrors: false,
  };
}

function segment(number: number, timeline = 1): string {
  const digits = (value: number) => value.toString(16).toUpperCase().padStart(8, '0');
  return `${digits(timeline)}00000000${digits(number)}`;
}

function range(first: number, last: number, timeline = 1) {
  return {
    timeline,
    first: segment(first, timeline),
    last: segment(last, timeline),
    count: last - first + 1,
  };
}

function repository(name: string, backups: BackupSet[], archive: ArchiveFacts): RepositoryFacts {
  return {
    name,
    kind: 'directory',
    where: `/backups/${name}`,
    state: 'ready',
    problem: undefined,
    freeBytes: undefined,
    encrypted: true,
    backups: backups.map(backup => ({ ...backup, repository: name })),
    archive,
  };
}

function observed(...repositories: RepositoryFacts[]): BackupObservation {
  return {
    observedAt: '2026-11-22T12:00:00.000Z',
    repositories,
    archiver: {
      primary: 'demo-0',
      on: true,
      lastArchived: undefined,
      failingSince: undefined,
      failure: undefined,
      waiting: 0,
      freeBytes: undefined,
      fullInSeconds: undefined,
      lsn: '0/30000000',
    },
    key: undefined,
  };
}

const two = repository('nas', [set('A', 10, 2), set('B', 30, 5)], { ranges: [range(1, 9)], timelines: [] });
const chosen = (facts: BackupObservation, wish: Partial<Wish>) =>
  chooseBackups(facts, { ...any, ...wish }).map(
    ({ repository, set, timeline }) => `${set.id} ${repository} ${timeline}`,
  );
const time = (at: string): Wish['target'] => ({ kind: 'time', at: `2026-11-22T${at}Z` });

describe('the newest backup that ended before the target', () => {
  test.each([
    ['10:40:00', ['B nas 1', 'A nas 1']],
    ['10:30:06', ['B nas 1', 'A nas 1']],
    // pgBackRest tells whole seconds: within the second of its end a backup may be too late.
    ['10:30:05.9', ['A nas 1']],
    ['10:10:06', ['A nas 1']],
  ])('%s', (at, expected) => {
    expect(chosen(observed(two), { target: time(at) })).toEqual(expected);
  });

  test('for positions likewise, up to what the primary can archive still', () => {
    expect(chosen(observed(two), { target: { kind: 'lsn', lsn: '0/4000000' } })).toEqual(['A nas 1']);
    expect(chosen(observed(two), { target: { kind: 'lsn', lsn: '0/20000000' } })).toEqual([
      'B nas 1',
      'A nas 1',
    ]);
    expect(() => chosen(observed(two), { target: { kind: 'lsn', lsn: '0/30000001' } })).toThrow(
      /cannot be reached/,
    );
  });

  test('all repositories serve, in their order; one that is named serves alone', () => {
    const facts = observed(two, { ...two, name: 'members/demo-0' });
    expect(chosen(facts, { target: time('10:20:00') })).toEqual(['A nas 1', 'A members/demo-0 1']);
    expect(chosen(facts, { target: time('10:20:00'), from: 'members' })).toEqual(['A members/demo-0 1']);
    expect(chosen(facts, { backup: 'A', from: 'nas' })).toEqual(['A nas 1']);
  });
});

describe('refused before anything is touched, with what can be reached', () => {
  test.each([
    ['before the first backup', { target: time('10:10:05') }, 'target-outside-window'],
    ['a position before it', { target: { kind: 'lsn', lsn: '0/1000000' } }, 'target-outside-window'],
    ['a backup that ended later', { target: time('10:20:00'), backup: 'B' }, 'target-outside-window'],
    ['an unknown backup', { backup: 'C' }, 'no-such-backup'],
    ['an unknown repository', { from: 'elsewhere' }, 'no-such-repository'],
  ] as [string, Partial<Wish>, string][])('%s', (_, wish, code) => {
    expect(() => chosen(observed(two), wish)).toThrow(expect.objectContaining({ code }));
  });

  test('the windows stand in the error', () => {
    expect(() => chosen(observed(two), { target: time('10:00:00') })).toThrow(
      expect.objectContaining({
        detail: expect.stringContaining('nas: 2026-11-22T10:10:06.000Z to now (0/2000100 to 0/A000000)'),
      }),
    );
  });

  test('no backup at all', () => {
    const empty = observed(repository('nas', [], { ranges: [], timelines: [] }));
    expect(() => chosen(empty, {})).toThrow(expect.objectContaining({ code: 'no-backup' }));
    expect(() => chosen(observed(), {})).toThrow(expect.objectContaining({ code: 'no-backups' }));
  });
});

describe('a gap in the WAL', () => {
  const gap = repository('nas', [set('A', 10, 2), set('B', 20, 4), set('C', 50, 8)], {
    ranges: [range(1, 5), range(7, 9)],
    timelines: [],
  });

  test('ends the window of the backups before it, and is named', () => {
    expect(recoverableWindows(observed(gap))).toMatchObject([
      {
        from: '2026-11-22T10:10:06.000Z',
        to: '2026-11-22T10:20:05.000Z',
        backups: ['A', 'B'],
        missing: segment(6),
      },
      { from: '2026-11-22T10:50:06.000Z', to: undefined, backups: ['C'], missing: undefined },
    ]);
  });

  test('cannot be bridged', () => {
    expect(chosen(observed(gap), { target: time('10:15:00') })).toEqual(['A nas 1']);
    expect(() => chosen(observed(gap), { target: time('10:40:00') })).toThrow(/cannot be reached/);
    expect(chosen(observed(gap), { target: time('10:55:00') })).toEqual(['C nas 1']);
  });

  test('another repository without it is used', () => {
    const facts = observed(gap, { ...two, name: 'copy' });
    expect(chosen(facts, { target: time('10:40:00') })).toEqual(['B copy 1', 'A copy 1']);
  });

  test('a backup whose own WAL is not there is none', () => {
    const broken = repository('nas', [set('A', 10, 5, 7)], {
      ranges: [range(1, 5), range(7, 9)],
      timelines: [],
    });
    expect(recoverableWindows(observed(broken))).toEqual([]);
    expect(() => chosen(observed(broken), {})).toThrow(
      expect.objectContaining({ detail: 'no backup has all the WAL that it needs' }),
    );
  });
});

describe('timelines', () => {
  /** A failover in segment 6, at 10:35: nothing of timeline 1 lies beyond it. */
  const failover = repository('nas', [set('A', 10, 2), set('B', 50, 8, 8, 2)], {
    ranges: [range(1, 5), range(6, 9, 2)],
    timelines: [
      { timeline: 2, parents: [{ timeline: 1, endLsn: '0/6000400' }], begunAt: '2026-11-22T10:35:00.000Z' },
    ],
  });

  test('a failover is no gap', () => {
    expect(recoverableWindows(observed(failover))).toMatchObject([
      {
        from: '2026-11-22T10:10:06.000Z',
        to: undefined,
        timeline: 2,
        backups: ['A', 'B'],
        missing: undefined,
      },
    ]);
    expect(chosen(observed(failover), { target: time('10:20:00') })).toEqual(['A nas 2']);
    expect(chosen(observed(failover), {})).toEqual(['B nas 2', 'A nas 2']);
  });

  /** Put back at 11:00 to segment 4: what timeline 1 has beyond it was abandoned. */
  const putBack = repository('nas', [set('A', 10, 2), set('B', 50, 8)], {
    ranges: [range(1, 9), range(4, 12, 2)],
    timelines: [
      { timeline: 2, parents: [{ timeline: 1, endLsn: '0/4000400' }], begunAt: '2026-11-22T11:00:00.000Z' },
    ],
  });

  test('moments before the cluster was put back lie on what was abandoned', () => {
    expect(chosen(observed(putBack), { target: time('10:55:00') })).toEqual(['B nas 1', 'A nas 1']);
    expect(chosen(observed(putBack), { target: time('11:10:00') })).toEqual(['A nas 2']);
    expect(chosen(observed(putBack), {})).toEqual(['A nas 2']);
  });

  test('what was abandoned beyond the present is no gap', () => {
    const just = {
      ...putBack,
      archive: { ranges: [range(1, 9), range(4, 6, 2)], timelines: putBack.archive?.timelines ?? [] },
    };
    expect(recoverableWindows(observed(just))).toMatchObject([
      { timeline: 2, to: undefined, toLsn: '0/7000000', missing: undefined, backups: ['A'] },
      { timeline: 1, backups: ['B'] },
    ]);
  });

  test('a backup of the abandoned part does not lead to the present', () => {
    expect(recoverableWindows(observed(putBack))).toMatchObject([
      { timeline: 2, to: undefined, backups: ['A'] },
      { timeline: 1, to: '2026-11-22T10:50:06.000Z', backups: ['B'], missing: undefined },
    ]);
  });
});
