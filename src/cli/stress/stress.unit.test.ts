import { describe, expect, it } from 'vitest';
import { memoryPlatform } from '../../../test/cli/platform.ts';
import { makeSurroundings, type Ran, runInMemory } from '../../../test/cli/surroundings.ts';
import { makeSpec } from '../../core/plan/testing/fixture.ts';
import type { Live } from '../../drill/stress/runner.ts';
import { makeOutcome, makeRefused, makeRun, TOO_MANY } from '../../drill/stress/testing/fixture.ts';
import { Cli } from '../cli.ts';
import { globalsOf } from '../globals.ts';
import { Interrupt, InterruptedError } from '../interrupt.ts';
import { Output } from '../output.ts';
import { buildProgram } from '../program.ts';
import { Session } from '../session.ts';
import { createLook } from '../text/look.ts';
import { exitCodeOf, type StressReport } from './handler.ts';
import { LiveView, oneLine, screen } from './live.ts';
import { endpointsOf } from './options.ts';
import { stressText, stressToDocument } from './render.ts';
import { stressDocument } from './schema.ts';

const login = {
  superuser: false,
  inherit: true,
  login: true,
  createrole: false,
  createdb: false,
  replication: false,
  bypassrls: false,
};

function run(...words: string[]): Promise<Ran> {
  const platform = memoryPlatform();
  platform.add(
    makeSpec({
      users: [{ name: 'bauer', flags: login }],
      databases: [{ name: 'firmendaten', owner: 'bauer' }],
      pooler: { primary: true },
    }),
  );
  return runInMemory(['stress', ...words], { platform });
}

describe('bad input', () => {
  it.each([
    [['herd', '--clients', '0'], /number of clients, 1 or more/],
    [['herd', '--clients', '-5'], /number of clients, 1 or more/],
    [['herd', '--clients', 'many'], /number of clients/],
    [['herd', '--clients', '999999'], /file descriptors|local ports|takes at most/],
    [['herd', '--endpoint', 'somewhere'], /Allowed choices are primary, standby, pooler, pooler-standby/],
    [['herd', '--endpoint', 'pooler-standby'], /no endpoint pooler-standby.*\nhint: there is: primary/],
    [['herd', '--duration', '0'], /measures nothing/],
    [['herd', '--duration', 'long'], /no duration/],
    [['herd', '--duration', '8d'], /at most 7 days/],
    [['herd', '--duration', '0', '--fill', '5', '--compare'], /nothing to report/],
    [['herd', '--interval', '-1'], /no duration/],
    [['herd', '--seed', '4'], /--seed is for --fill/],
    [['herd', '--fill', '0'], /number of rows/],
    [['herd', '--fill', '1000000000'], /rows take about/],
    [['herd', '--write-ratio', '1.5'], /share from 0 to 1/],
    [['herd', '--write-ratio', '0.5', '--endpoint', 'standby'], /needs a primary/],
    [['herd', '--write-ratio', '0.5', '--script', 'x.sql'], /cannot be used with/],
    [['herd', '--compare', '--endpoint', 'primary'], /cannot be used with/],
    [['herd', '--script', '/nowhere.sql'], /cannot be read \(ENOENT\)/],
    [['herd', '--script', '/dev/null'], /has no SQL statement/],
    [['herd', '--report', '/nowhere/x.html'], /cannot be written/],
    [['herd', '--report', '/tmp'], /cannot be written/],
    [['herd', '--user', 'nobody'], /no password of a user nobody/],
  ])('%j', async (words, complaint) => {
    const { exitCode, stdout, stderr } = await run(...words);
    expect(stderr).toMatch(complaint);
    expect(stderr).toMatch(/^hint: /m);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  });

  it('a cluster that does not exist', async () => {
    expect(await run('nobody')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('no cluster named nobody'),
    });
  });
});

describe('endpoints', () => {
  const options = { clients: 1, duration: 1, interval: 1, writeRatio: 0 };

  it('the pooler where there is one', () => {
    expect(endpointsOf(options, () => true)).toEqual(['pooler']);
    expect(endpointsOf(options, name => name === 'primary')).toEqual(['primary']);
    expect(endpointsOf({ ...options, endpoint: 'pooler-standby' }, () => true)).toEqual(['poolerStandby']);
    expect(endpointsOf({ ...options, compare: true }, () => true)).toEqual(['primary', 'pooler']);
  });
});

function makeSession(terminal: boolean, words: string[] = []) {
  const made = makeSurroundings({ argv: words, terminal });
  const { surroundings } = made;
  const program = buildProgram(new Cli(surroundings, [], false));
  program.parseOptions(words);
  const output = new Output(surroundings.stdout, surroundings.stderr, true);
  const interrupt = new Interrupt(surroundings, output, false);
  return { ...made, session: new Session(surroundings, globalsOf(program, '/work'), output, interrupt) };
}

const report = (changes: Partial<StressReport> = {}): StressReport => ({
  ...makeOutcome(),
  report: undefined,
  ended: undefined,
  ...changes,
});

const compared = (): StressReport =>
  report(makeOutcome([makeRun(makeRefused(), { endpoint: 'primary', port: 5432 }), makeRun()]));

describe('report', () => {
  it.each([
    ['one run', report()],
    ['a comparison', compared()],
    ['only filled', report(makeOutcome([]))],
    ['interrupted', report({ ended: new InterruptedError('SIGINT'), report: '/tmp/x.html' })],
  ])('as JSON: %s', (_, outcome) => {
    const document = stressToDocument(outcome);
    expect(stressDocument.strict().parse(JSON.parse(JSON.stringify(document)))).toEqual(document);
  });

  it('as text: verdict first, then figures', () => {
    const text = stressText(report(), makeSession(false).session);
    expect(text).toMatch(/^herd through pooler: passed\n {2}all 300 clients were served/);
    expect(text).toMatch(/a second +598 of 600 wanted/);
    expect(text).toMatch(/filled +10,000 rows in 400 ms/);
    expect(text).not.toMatch(/Errors|NaN|undefined/);
  });

  it('as text: a comparison side by side, with errors', () => {
    const text = stressText(compared(), makeSession(false).session);
    expect(text).toMatch(/^ +primary +pooler$/m);
    expect(text).toMatch(/53300 +528 times +never/);
    expect(text).toMatch(/Errors of primary\n +CODE/);
  });

  it('exits as the verdict says, or as the signal', () => {
    expect(exitCodeOf(report())).toBe(0);
    expect(exitCodeOf(compared())).toBe(2);
    expect(exitCodeOf(report({ ended: new InterruptedError('SIGINT') }))).toBe(130);
    expect(exitCodeOf(report({ ended: new InterruptedError('SIGTERM') }))).toBe(143);
    expect(exitCodeOf(report({ ended: new Error('deadline') }))).toBe(1);
  });
});

describe('live view', () => {
  const live: Live = {
    phase: 'load',
    elapsedMs: 10_000,
    remainingMs: 20_000,
    clients: 300,
    connected: 36,
    waiting: 4,
    perSecond: 71.5,
    latency: { count: 1, mean: 1, p50: 1.2, p95: 9, p99: 25, max: 30 },
    acknowledged: 715,
    errors: [TOO_MANY, { ...TOO_MANY, code: '53200', count: 1 }],
    longestGapMs: 250,
  };

  it('has everything on a few lines', () => {
    const text = screen('herd', 'pooler', live, createLook(false)).join('\n');
    expect(text).toContain('[########................]  10 s of 30 s');
    expect(text).toContain('36 of 300');
    expect(text).toContain('p50 1.2 ms   p95 9.0 ms   p99 25 ms');
    expect(text).toContain('53 out of resources 265 times');
    expect(text).toContain('longest gap  250 ms');
    const before = screen('herd', 'pooler', { ...live, phase: 'connecting' }, createLook(false));
    expect(before.join('\n')).toMatch(/connecting, 10 s/);
  });

  it('has the same on one line', () => {
    expect(oneLine('pooler', live)).toBe(
      '[  10 s] pooler: 72 a second, p50 1.2 ms, p99 25 ms, 36 of 300 connected, 4 waiting; 53 out of resources 265 times',
    );
    expect(oneLine('pooler', { ...live, phase: 'connecting', errors: [] })).toBe(
      '[  10 s] pooler: connecting, 36 of 300 are; no error',
    );
  });

  it('redraws on a terminal and takes itself away', () => {
    const { session, stderr } = makeSession(true);
    {
      using view = new LiveView(session, 'herd');
      view.show('pooler', live);
      session.output.note('a line beside it');
      view.show('pooler', live);
    }
    expect(stderr.text).toContain('a line beside it\n');
    expect(stderr.text).toContain('\u001b[7A\r\u001b[J');
    expect(stderr.text.endsWith('\u001b[J')).toBe(true);
  });

  it('prints few lines into a file, and none where JSON is asked for', () => {
    const file = makeSession(false);
    const json = makeSession(false, ['--output', 'json']);
    for (const { session } of [file, json]) {
      const view = new LiveView(session, 'herd');
      for (let i = 0; i < 5; i++) view.show('pooler', live);
    }
    expect(file.stderr.text.trim().split('\n')).toHaveLength(1);
    expect(json.stderr.text).toBe('');
  });
});
