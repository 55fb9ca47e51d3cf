import { describe, expect, it } from 'vitest';
import { findingsOf, manifestWith, specOf } from '../manifestFixture.ts';

const backup = (text: string) => manifestWith(`backup: ${text}`);

describe('spec.backup', () => {
  it('keeps a copy for each member where nothing is said', () => {
    expect(specOf(manifestWith()).backup).toEqual({
      repositories: [{ name: 'members', kind: 'members' }],
      encryption: true,
      compression: 'zst',
      schedule: {
        full: '0 1 * * 0',
        differential: '0 1 * * 1-6',
        incremental: undefined,
        timeZone: undefined,
      },
      retention: { by: 'full', amount: 2 },
      verify: { afterBackup: 'full', schedule: undefined },
      logical: {
        enabled: false,
        schedule: '0 2 * * *',
        retention: undefined,
        directory: undefined,
        format: 'custom',
      },
    });
    expect(specOf(backup('{}')).backup).toEqual(specOf(manifestWith()).backup);
  });

  it('has none where the list is empty', () => {
    expect(specOf(backup('{ repositories: [] }')).backup.repositories).toEqual([]);
  });

  it('takes the times that are named, and no others', () => {
    const { schedule } = specOf(backup('{ schedule: { incremental: "0 * * * *" } }')).backup;
    expect(schedule).toMatchObject({ full: undefined, differential: undefined, incremental: '0 * * * *' });
  });

  it('reads the fields of the format for logical backups', () => {
    const text = 'enableLogicalBackup: true\nlogicalBackupRetention: "2 weeks"';
    expect(specOf(manifestWith(text)).backup.logical).toMatchObject({
      enabled: true,
      schedule: '0 2 * * *',
      retention: { amount: 2, unit: 'week' },
    });
  });

  it.each([
    ['{ repositories: [{ name: nas }] }', 'error missing-field spec.backup.repositories[0]'],
    [
      '{ repositories: [{ name: nas, members: {}, directory: { path: /a } }] }',
      'error contradiction spec.backup.repositories[0]',
    ],
    ['{ repositories: [{ name: NAS, members: {} }] }', 'error wrong-name spec.backup.repositories[0].name'],
    [
      '{ repositories: [{ name: a, members: {} }, { name: b, members: {} }] }',
      'error contradiction spec.backup.repositories[1].name',
    ],
    [
      '{ repositories: [{ name: a, directory: { path: /a } }, { name: b, directory: { path: /a/ } }] }',
      'error contradiction spec.backup.repositories[1].name',
    ],
    [
      '{ repositories: [{ name: a, directory: { path: share } }] }',
      'error wrong-value spec.backup.repositories[0].directory.path',
    ],
    ['{ schedule: { full: "0 25 * * *" } }', 'error wrong-schedule spec.backup.schedule.full'],
    ['{ schedule: { timeZone: Europe/Bonn } }', 'error wrong-value spec.backup.schedule.timeZone'],
    ['{ verify: { schedule: never } }', 'error wrong-schedule spec.backup.verify.schedule'],
    ['{ retention: { full: 2, days: 3 } }', 'error contradiction spec.backup.retention.days'],
    ['{ logical: { directory: dumps } }', 'error wrong-value spec.backup.logical.directory'],
  ])('refuses %s', (text, finding) => {
    expect(findingsOf(backup(text), 'kubernetes')).toEqual([finding]);
  });
});
