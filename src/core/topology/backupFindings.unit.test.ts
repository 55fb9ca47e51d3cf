import { describe, expect, it } from 'vitest';
import type { ArchiverFacts, BackupObservation, BackupSet, RepositoryFacts } from '../schedule/facts.ts';
import { backupFindings, backupNotes } from './backupFindings.ts';

const NOW = '2026-11-22T12:00:00.000Z';
const set: BackupSet = {
  id: '20261122-010000F',
  repository: 'nas',
  type: 'full',
  startedAt: NOW,
  finishedAt: NOW,
  needs: [],
  timeline: 1,
  wal: { first: '0'.repeat(24), last: '0'.repeat(24) },
  lsn: { start: '0/1', stop: '0/2' },
  databaseBytes: 1,
  repositoryBytes: 1,
  ownBytes: 1,
  pageErrors: false,
};
const nas: RepositoryFacts = {
  name: 'nas',
  kind: 'directory',
  where: '/mnt',
  state: 'ready',
  problem: undefined,
  freeBytes: 1,
  encrypted: true,
  backups: [set],
  archive: undefined,
};
const archiver: ArchiverFacts = {
  primary: 'herd-0',
  on: true,
  lastArchived: undefined,
  failingSince: undefined,
  failure: undefined,
  waiting: 0,
  freeBytes: 10 * 1024 ** 3,
  fullInSeconds: undefined,
  lsn: '0/3',
};
const proven = {
  repository: 'nas',
  backup: set.id,
  at: NOW,
  durationMs: 1000,
  outcome: 'proven' as const,
  problems: [],
};

function seen(changes: Partial<BackupObservation> = {}): BackupObservation {
  const key = { fingerprint: 'f', savedAt: NOW };
  return { observedAt: NOW, repositories: [nas], archiver, key, proofs: [proven], ...changes };
}

const sentences = (observed: BackupObservation | undefined) =>
  backupFindings(observed, verb => verb).map(({ sentence }) => sentence);

describe('backupFindings', () => {
  it('has nothing to say where all is well, or nobody looked', () => {
    expect(sentences(seen())).toEqual([]);
    expect(backupNotes(seen())).toEqual([]);
    expect(sentences(undefined)).toEqual([]);
  });

  it.each([
    [44, []],
    [
      46,
      [
        'WAL is not archived since 2026-11-22T11:59:14.000Z: nas: no; 3 segments wait, and the volume of herd-0 is full in about 2 h (10.0 GB left)',
      ],
    ],
  ])('is alarmed by an archive that fails for %i s: %j', (seconds, expected) => {
    const failingSince = new Date(Date.parse(NOW) - seconds * 1000).toISOString();
    const failing = { ...archiver, failingSince, failure: 'nas: no', waiting: 3, fullInSeconds: 7300 };
    expect(sentences(seen({ archiver: failing }))).toEqual(expected);
  });

  it('says that archiving waits for a restart', () => {
    expect(sentences(seen({ archiver: { ...archiver, on: false } }))).toEqual([
      'WAL is not archived before PostgreSQL has been restarted',
    ]);
  });

  it('names repositories that take nothing, and does not repeat what the archive said', () => {
    const gone = { ...nas, state: 'unreachable' as const, problem: '/mnt is not mounted' };
    expect(sentences(seen({ repositories: [gone] }))).toEqual([
      'the repository nas is unreachable: /mnt is not mounted',
    ]);
    expect(sentences(seen({ repositories: [{ ...nas, state: 'failing' }] }))).toEqual([]);
  });

  it('names damage, of the data and of a backup', () => {
    const bad = { ...nas, backups: [{ ...set, pageErrors: true }] };
    const proofs = [{ ...proven, outcome: 'damaged' as const, problems: ['pg_data/base/1 is missing'] }];
    expect(sentences(seen({ repositories: [bad], proofs }))).toEqual([
      expect.stringContaining('wrong checksums'),
      `the backup ${set.id} in nas is damaged: pg_data/base/1 is missing`,
    ]);
    // Once it has gone, so has the trouble.
    expect(sentences(seen({ repositories: [{ ...nas, backups: [] }], proofs }))).toEqual([]);
  });

  it('reminds of what nobody has done yet', () => {
    const key = { fingerprint: 'f', savedAt: undefined };
    expect(backupNotes(seen({ key, proofs: [] }))).toEqual([
      'no backup in nas was ever proven by a restore: pgherd verify does it now',
      expect.stringContaining('never saved'),
    ]);
    expect(backupNotes(seen({ repositories: [{ ...nas, backups: [] }] }))).toEqual([
      'no backup yet in nas: the control plane takes the first one soon',
    ]);
    expect(backupNotes(seen({ repositories: [] }))).toEqual([expect.stringContaining('no physical backups')]);
  });
});

describe('restores', () => {
  const waiting = {
    id: 'abc123',
    createdAt: NOW,
    target: '2026-11-22T11:00:00Z',
    lastCommitAt: '2026-11-22T10:59:59Z',
  };

  it('one that waits is no fault, but said, with what to do', () => {
    const observed = seen({ restores: { waiting: [waiting], cutover: undefined } });
    expect(sentences(observed)).toEqual([]);
    expect(backupNotes(observed)).toEqual([
      'restore abc123 (to 2026-11-22T11:00:00Z, last commit 2026-11-22T10:59:59Z) waits since 2026-11-22 12:00Z, until you decide: pgherd restore NAME --cutover abc123, or --discard abc123',
    ]);
  });

  it.each([
    ['repositories', [nas]],
    ['none', []],
  ])('a cutover that is not finished is a fault, with %s', (_, repositories) => {
    const restores = { waiting: [], cutover: { id: 'abc123', target: '0/3' } };
    const [finding] = backupFindings(seen({ repositories, restores }), (verb, rest = '') => verb + rest);
    expect(finding).toEqual({
      severity: 'degraded',
      sentence: 'the cutover to restore abc123 (0/3) was begun and is not finished',
      next: 'restore --cutover abc123',
    });
  });
});
