import { describe, expect, it } from 'vitest';
import { manifestWith, specOf } from '../../../core/manifest/manifestFixture.ts';
import { desiredObjects } from './index.ts';
import { cronForKubernetes } from './logicalBackup.ts';
import { inputOf } from './testing/fixture.ts';

const dumps = (lines: string, config = {}) =>
  desiredObjects(inputOf(specOf(manifestWith(lines), 'kubernetes'), config)).filter(object =>
    object.metadata.name.startsWith('logical-backup'),
  );

describe('logical backups', () => {
  it('are made only when they are asked for', () => {
    expect(dumps('logicalBackupSchedule: "0 1 * * *"')).toEqual([]);
    expect(dumps('enableLogicalBackup: true').map(object => object.kind)).toEqual([
      'PersistentVolumeClaim',
      'CronJob',
    ]);
  });

  it('have no claim of their own where the configuration has a volume', () => {
    const config = { logicalBackup: { volume: { persistentVolumeClaim: { claimName: 'share' } } } };
    expect(dumps('enableLogicalBackup: true', config).map(object => object.kind)).toEqual(['CronJob']);
  });

  it('keep their name within what a CronJob can be called', () => {
    const name = `${'a'.repeat(36)}-${'b'.repeat(16)}`;
    const spec = specOf(manifestWith('enableLogicalBackup: true', { name }), 'kubernetes');
    const job = desiredObjects(inputOf(spec)).find(object => object.kind === 'CronJob');
    expect(job?.metadata.name).toBe(`logical-backup-${'a'.repeat(36)}`);
  });

  it.each([
    ['0 2 * * *', '0 2 * * *'],
    ['0 2 * * 7', '0 2 * * 0'],
    ['0 2 * * 5-7', '0 2 * * 5-6,0'],
    ['0 2 * * 0-7', '0 2 * * *'],
    ['7 7 7 7 1,7', '7 7 7 7 1,0'],
    ['*/7  2 * * mon-fri', '*/7 2 * * mon-fri'],
  ])('on %s run at %s', (written, made) => {
    expect(cronForKubernetes(written)).toBe(made);
  });
});
