import { describe, expect, it } from 'vitest';
import { errorsOf, findingsOf, manifestWith, specOf } from '../manifestFixture.ts';

describe('times', () => {
  it.each([
    ['01:00-06:30', { weekday: undefined, startMinute: 60, endMinute: 390 }],
    ['Sat:00:00-04:00', { weekday: 6, startMinute: 0, endMinute: 240 }],
    [' Sun:9:00-23:59 ', { weekday: 0, startMinute: 540, endMinute: 1439 }],
  ])('reads the window %j', (text, expected) => {
    expect(specOf(manifestWith(`maintenanceWindows: ["${text}"]`)).maintenanceWindows).toEqual([expected]);
  });

  it.each([
    ['04:00-01:00', 'write two: "04:00-23:59" and "00:00-01:00"'],
    ['Sat:22:00-02:00', 'write two: "Sat:22:00-23:59" and "Sun:00:00-02:00"'],
    ['22:00-00:00', '23:59 at the latest'],
    ['01:00-01:00', 'after 01:00'],
    ['24:00-25:00', 'write "01:00-04:00"'],
    ['sat:01:00-02:00', 'days are Sun'],
    ['Saturday:01:00-02:00', 'days are Sun'],
    ['01:00', 'write "01:00-04:00"'],
  ])('refuses the window %j', (text, hint) => {
    const [error] = errorsOf(manifestWith(`maintenanceWindows: ["${text}"]`));
    expect(error).toMatchObject({ code: 'wrong-window', path: 'spec.maintenanceWindows[0]' });
    expect(error?.hint).toContain(hint);
  });

  it.each(['30 00 * * *', '*/5 1-3 * * MON', '0 0 1,15 * *'])('takes the schedule %s', line => {
    expect(findingsOf(manifestWith(`logicalBackupSchedule: "${line}"`), 'kubernetes')).toEqual([]);
  });

  it.each(['@daily', '* * * *', '61 * * * *', '* * * * * *', 'daily', ''])(
    'refuses the schedule %j',
    line => {
      expect(findingsOf(manifestWith(`logicalBackupSchedule: "${line}"`), 'kubernetes')).toEqual([
        'error wrong-schedule spec.logicalBackupSchedule',
      ]);
    },
  );

  it.each([
    ['logicalBackupRetention: "3 days"', []],
    ['logicalBackupRetention: "3d"', ['error wrong-value spec.logicalBackupRetention']],
    [
      'clone: { cluster: a, uid: efd12e58-5786-11e8-b5a7-06148230260c, timestamp: "2026-01-31T12:40:33+01:00" }',
      [],
    ],
    ['clone: { cluster: a, uid: nope }', ['error wrong-value spec.clone.uid']],
    ['clone: { cluster: a, timestamp: "2026-01-31 12:40" }', ['error wrong-value spec.clone.timestamp']],
    ['clone: { uid: efd12e58-5786-11e8-b5a7-06148230260c }', ['error missing-field spec.clone.cluster']],
    ['standby: { standby_host: a, standby_port: "5433" }', []],
    ['standby: {}', ['error missing-field spec.standby']],
    ['standby: { standby_host: a, standby_port: "x" }', ['error out-of-range spec.standby.standby_port']],
    ['standby: { s3_wal_path: a, gs_wal_path: b }', ['error contradiction spec.standby.gs_wal_path']],
  ])('%s', (line, expected) => {
    expect(findingsOf(manifestWith(line), 'kubernetes')).toEqual(expected);
  });
});
