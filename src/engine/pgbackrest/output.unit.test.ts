import { describe, expect, it } from 'vitest';
import { CommandError } from '../../lib/exec.ts';
import { parseHistory, parseListing, rangesOf } from './archive.ts';
import { explain, PgBackRestError } from './errors.ts';
import { parseExpire } from './expire.ts';
import { parseInfo } from './info.ts';
import { newLabelOf, percentOf, pushProblems } from './output.ts';

const MB16 = 16n * 1024n * 1024n;

/** As pgBackRest 2.45 printed it. */
const INFO = `[{"archive":[{"database":{"id":1,"repo-key":1},"id":"15-1","max":"00000001000000000000000C","min":"000000010000000000000006"}],"backup":[{"archive":{"start":"000000010000000000000006","stop":"000000010000000000000006"},"backrest":{"format":5,"version":"2.45"},"database":{"id":1,"repo-key":1},"error":false,"info":{"delta":30591186,"repository":{"delta":3993296,"size":3993296},"size":30591186},"label":"20261122-181450F","lsn":{"start":"0/6000028","stop":"0/60001D0"},"prior":null,"reference":null,"timestamp":{"start":1795371290,"stop":1795371293},"type":"full"},{"archive":{"start":"00000001000000000000000C","stop":"00000001000000000000000C"},"backrest":{"format":5,"version":"2.45"},"database":{"id":1,"repo-key":1},"error":true,"info":{"delta":8426,"repository":{"delta":512,"size":3993296},"size":30591186},"label":"20261122-181450F_20261122-181503D","lsn":{"start":"0/C000028","stop":"0/C000168"},"prior":"20261122-181450F","reference":["20261122-181450F"],"timestamp":{"start":1795371303,"stop":1795371305},"type":"diff"}],"cipher":"aes-256-cbc","db":[{"id":1,"repo-key":1,"system-id":7575643342711234567,"version":"15"}],"name":"demo","repo":[{"cipher":"aes-256-cbc","key":1,"status":{"code":0,"message":"ok"}}],"status":{"code":0,"lock":{"backup":{"held":false}},"message":"ok"}}]`;

describe('parseInfo', () => {
  it('reads backups with what they need', () => {
    const { status, encrypted, backups } = parseInfo(INFO);
    expect({ status, encrypted }).toEqual({ status: 'ok', encrypted: true });
    expect(backups).toEqual([
      expect.objectContaining({
        id: '20261122-181450F',
        type: 'full',
        needs: [],
        pageErrors: false,
        timeline: 1,
      }),
      expect.objectContaining({
        id: '20261122-181450F_20261122-181503D',
        type: 'differential',
        needs: ['20261122-181450F'],
        startedAt: '2026-11-22T18:15:03.000Z',
        finishedAt: '2026-11-22T18:15:05.000Z',
        ownBytes: 512,
        pageErrors: true,
        wal: { first: '00000001000000000000000C', last: '00000001000000000000000C' },
      }),
    ]);
  });

  it.each([
    [1, 'missing'],
    [2, 'ok'],
    [3, 'missing'],
    [99, 'other'],
  ])('calls status %i %s', (code, status) => {
    const text = JSON.stringify([
      {
        name: 'demo',
        backup: [],
        status: { code, message: 'x' },
        repo: [{ key: 1, cipher: 'none', status: { code, message: 'x' } }],
      },
    ]);
    expect(parseInfo(text).status).toBe(status);
  });

  it('takes an empty answer for a repository without anything', () => {
    expect(parseInfo('[]').status).toBe('missing');
  });

  it.each(['', 'ERROR: [027]', '{}', '[{"name":"demo"}]'])('refuses %j', text => {
    expect(() => parseInfo(text)).toThrow('cannot be understood');
  });
});

describe('the archive', () => {
  it('knows segments, and leaves out what is none', () => {
    const sha = 'a'.repeat(40);
    const files = [
      `15-1/0000000100000000/000000010000000000000002-${sha}.zst`,
      `15-1/0000000100000000/000000010000000000000001-${sha}`,
      `15-1/0000000100000000/000000010000000000000002.00000028.backup`,
      `15-1/0000000100000000/000000010000000000000003.partial-${sha}.zst`,
      'archive.info',
    ];
    const listing = Object.fromEntries(files.map(path => [path, { type: 'file', size: 1, time: 1 }]));
    const text = JSON.stringify({
      ...listing,
      '15-1': { type: 'path' },
      '15-1/00000002.history': { type: 'file', size: 9, time: 1795371290 },
    });
    expect(parseListing(text)).toEqual({
      segments: ['000000010000000000000001', '000000010000000000000002'],
      histories: [{ timeline: 2, path: '15-1/00000002.history', at: '2026-11-22T18:14:50.000Z' }],
    });
  });

  it('finds gaps, over the end of a log and between timelines', () => {
    const ranges = rangesOf(
      [
        '0000000100000000000000FF',
        '0000000100000000000000FE',
        '000000010000000100000000',
        '000000010000000100000002',
        '000000020000000100000003',
      ],
      MB16,
    );
    expect(ranges).toEqual([
      { timeline: 1, first: '0000000100000000000000FE', last: '000000010000000100000000', count: 3 },
      { timeline: 1, first: '000000010000000100000002', last: '000000010000000100000002', count: 1 },
      { timeline: 2, first: '000000020000000100000003', last: '000000020000000100000003', count: 1 },
    ]);
  });

  it('reads a history', () => {
    const text = '1\t0/5000000\tno recovery target specified\n\n2\t0/A000148\tno recovery target specified\n';
    expect(parseHistory(3, text, undefined).parents).toEqual([
      { timeline: 1, endLsn: '0/5000000' },
      { timeline: 2, endLsn: '0/A000148' },
    ]);
  });
});

describe('what pgBackRest says', () => {
  it('tells what went, by the lines of 2.45', () => {
    const text = `P00   INFO: [DRY-RUN] repo1: expire full backup set 20261122-181450F, 20261122-181450F_20261122-181503D
P00   INFO: [DRY-RUN] repo1: remove expired backup 20261122-181450F_20261122-181503D
P00   INFO: [DRY-RUN] repo1: remove expired backup 20261122-181450F
P00 DETAIL: [DRY-RUN] repo1: 15-1 archive retention on backup 20261122-181605F, start = 000000010000000000000012
P00   INFO: [DRY-RUN] repo1: 15-1 remove archive, start = 000000010000000000000006, stop = 000000010000000000000011
`;
    expect(parseExpire(text)).toEqual({
      backups: ['20261122-181450F', '20261122-181450F_20261122-181503D'],
      wal: [{ first: '000000010000000000000006', last: '000000010000000000000011' }],
    });
    expect(parseExpire('P00   INFO: expire command end: completed successfully\n')).toEqual({
      backups: [],
      wal: [],
    });
  });

  it('tells how far a backup is, and its name', () => {
    const text = 'P01 DETAIL: backup file a (8KB, 12.5%) checksum x\nP01 DETAIL: backup file b (0B, 100%)\n';
    expect(percentOf(text)).toBe(100);
    expect(percentOf('P00 INFO: nothing')).toBeUndefined();
    expect(newLabelOf('P00   INFO: new backup label = 20261122-181450F\n')).toBe('20261122-181450F');
  });

  it('tells which repositories WAL could not be pushed to', () => {
    const text =
      'ERROR: [104]: raised from local-1 protocol: archive-push command encountered error(s):\n       repo2: [FileOpenError] unable to open x\n       [CommandError] on retry after 0ms\n       repo4: [HostConnectError] no answer';
    expect(pushProblems(text)).toEqual([
      { repository: 2, problem: 'unable to open x' },
      { repository: 4, problem: 'no answer' },
    ]);
  });
});

describe('explain', () => {
  const failed = (exitCode: number, stderr: string) =>
    new CommandError({ reason: 'exit', command: 'pgbackrest --secret', message: 'm', exitCode, stderr });

  it.each([
    [50, 'backup-running'],
    [82, 'archive-late'],
    [28, 'repository-foreign'],
    [95, 'repository-key-wrong'],
    [64, 'repository-not-writable'],
    [125, 'pgbackrest-failed'],
  ])('knows exit code %i as %s', (exitCode, code) => {
    const error = explain('backup into nas', failed(exitCode, 'P00  ERROR: [0]: words\n  HINT: more\n'));
    expect(error).toBeInstanceOf(PgBackRestError);
    expect(error).toMatchObject({ code, exitCode, detail: '[0]: words; HINT: more' });
    expect((error as Error).message).toMatch(/^backup into nas: /);
  });

  it('shows no command line where pgbackrest was killed', () => {
    const error = explain(
      'x',
      new CommandError({ reason: 'signal', command: 'c', message: 'pgbackrest --secret' }),
    );
    expect((error as Error).message).toBe('x: pgbackrest was killed');
  });

  it('leaves other errors alone', () => {
    const error = new Error('other');
    expect(explain('x', error)).toBe(error);
  });
});
