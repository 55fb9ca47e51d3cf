import { describe, expect, it } from 'vitest';
import { makeComponent, makeDesired, makeHealthy, makeMember, makeSpec } from '../plan/testing/fixture.ts';
import type { MemberObservation, Observation } from './observation.ts';
import { judge, promiseOf } from './verdict.ts';

function cluster(options: Parameters<typeof makeSpec>[0] = {}) {
  const spec = makeSpec(options);
  return { spec, observed: makeHealthy(makeDesired(spec)) };
}

function set(observed: Observation, name: string, change: Partial<MemberObservation>): void {
  Object.assign(observed.members.find(member => member.name === name) ?? {}, change);
}

describe('judge', () => {
  it('calls a whole cluster healthy and says what a failover would lose', () => {
    const { spec, observed } = cluster();
    expect(judge(observed, spec)).toMatchObject({
      verdict: 'healthy',
      sentence: 'healthy: 3 of 3 members, a failover now would lose nothing',
      reasons: [],
      next: [],
      notes: [],
      lossIfPrimaryDied: { possible: false, sentence: 'nothing: herd-1 confirms every commit' },
    });
    const single = cluster({ instances: 1 });
    expect(judge(single.observed, single.spec).sentence).toBe(
      'healthy: 1 of 1 members, no standby could take over',
    );
    const lax = cluster({ patroni: { synchronousMode: 'async' } });
    expect(judge(lax.observed, lax.spec)).toMatchObject({
      verdict: 'healthy',
      sentence: 'healthy: 3 of 3 members, a failover now could lose acknowledged writes',
      lossIfPrimaryDied: { possible: true },
    });
  });

  it('tells of a drill first, and how to end one that was left behind', () => {
    const { spec, observed } = cluster();
    observed.faults = [{ description: 'SIGSTOP to walwriter 4711 of herd-0', owned: true }];
    expect(judge(observed, spec)).toMatchObject({
      verdict: 'degraded',
      reasons: ['a drill is under way: SIGSTOP to walwriter 4711 of herd-0'],
      next: [],
    });
    observed.faults = [{ description: 'SIGSTOP to walwriter 4711 of herd-0', owned: false }];
    expect(judge(observed, spec)).toMatchObject({
      reasons: ['a drill left this behind: SIGSTOP to walwriter 4711 of herd-0'],
      next: ['pgherd drill clean herd'],
    });
  });

  const faults: [string, string, (observed: Observation) => void][] = [
    [
      'a lost member',
      'herd-2 does not answer since 2026-01-01',
      observed => set(observed, 'herd-2', { state: 'lost', since: '2026-01-01' }),
    ],
    [
      'a failed member',
      'herd-2 failed: disk full',
      observed => set(observed, 'herd-2', { state: 'failed', problem: 'disk full' }),
    ],
    [
      'a member that starts',
      'herd-2 is starting',
      observed => set(observed, 'herd-2', { state: 'starting' }),
    ],
    ['a missing member', 'herd-2 does not exist', observed => void observed.members.pop()],
    [
      'a left over member',
      'herd-3 is left over: 3 instances are wanted',
      observed => void observed.members.push(makeMember('herd-3')),
    ],
    [
      'a lag',
      'herd-2 lags by 40000000 bytes (at most 33554432 are permitted)',
      observed => set(observed, 'herd-2', { lagBytes: 40_000_000 }),
    ],
    [
      'an unseen lag',
      'the lag of herd-2 could not be seen',
      observed => set(observed, 'herd-2', { lagBytes: undefined }),
    ],
    [
      'another timeline',
      'herd-2 is on timeline 2 instead of 1',
      observed => set(observed, 'herd-2', { timeline: 2 }),
    ],
    [
      'no synchronous standby',
      '0 of 1 promised synchronous standbys: acknowledged writes could be lost',
      observed => set(observed, 'herd-1', { synchronous: false }),
    ],
    [
      'a pending restart',
      'herd-0 has to be restarted for a changed parameter',
      observed => set(observed, 'herd-0', { pendingRestart: true }),
    ],
    [
      'an ill voter',
      'the DCS is not whole: 2 of 3 voters answer',
      observed => void Object.assign(observed, { dcs: { voters: 3, healthyVoters: 2 } }),
    ],
    [
      'an unseen DCS',
      'the DCS could not be seen',
      observed => void Object.assign(observed, { dcs: undefined }),
    ],
    [
      'an unseen configuration',
      "Patroni's configuration could not be seen",
      observed => void Object.assign(observed, { config: undefined }),
    ],
    [
      'a stopped server',
      'herd-proxy-0 does not run',
      observed => void Object.assign(observed.components.at(-1) ?? {}, { running: false }),
    ],
    [
      'an outdated server',
      'herd-proxy-0 needs a reload for its configuration',
      observed => void Object.assign(observed.components.at(-1) ?? {}, { outdated: 'reload' }),
    ],
    [
      'a missing server',
      'no server runs for herd-2',
      observed =>
        void Object.assign(observed, {
          components: observed.components.filter(({ name }) => name !== 'herd-2'),
        }),
    ],
    [
      'a dead control plane',
      'the control plane does not run: queries go on, failures heal more slowly',
      observed => void Object.assign(observed, { controlPlane: { running: false, since: undefined } }),
    ],
    [
      'two primaries',
      'split brain: herd-0 and herd-1 claim to be primary at the same time',
      observed => set(observed, 'herd-1', { role: 'primary', state: 'running' }),
    ],
    [
      'a server though stopped',
      'it should be stopped, but herd-etcd-0, herd-etcd-1, herd-etcd-2, herd-0, herd-1, herd-2, herd-proxy-0 runs',
      observed => void Object.assign(observed, { stopped: true }),
    ],
  ];
  it.each(faults)('degraded by %s', (_, reason, spoil) => {
    const { spec, observed } = cluster();
    spoil(observed);
    const { verdict, reasons } = judge(observed, spec);
    expect(verdict).toBe('degraded');
    expect(reasons).toContain(reason);
  });

  it('degraded where a pooler is promised and none exists', () => {
    const { spec, observed } = cluster({ pooler: { primary: true, standby: true } });
    observed.components = observed.components.filter(({ kind }) => kind !== 'poolerStandby');
    expect(judge(observed, spec).reasons).toEqual(['there is no standby pooler']);
  });

  it('down without a primary, without quorum, and where strict mode acknowledges nothing', () => {
    const headless = cluster();
    set(headless.observed, 'herd-0', { role: 'standby', state: 'streaming' });
    expect(judge(headless.observed, headless.spec).sentence).toMatch(/^down: no primary takes writes/);
    const mute = cluster();
    mute.observed.dcs = { voters: 3, healthyVoters: 1 };
    expect(judge(mute.observed, mute.spec).sentence).toBe(
      'down: the DCS has no quorum: 1 of 3 voters answer',
    );
    const strict = cluster({ patroni: { synchronousMode: 'strict' } });
    set(strict.observed, 'herd-1', { synchronous: false });
    expect(judge(strict.observed, strict.spec).sentence).toMatch(/^down: no write is acknowledged/);
    const absent = cluster();
    absent.observed.exists = false;
    expect(judge(absent.observed, absent.spec)).toMatchObject({ verdict: 'down', next: ['pgherd up FILE'] });
  });

  it('stopped on purpose is no fault', () => {
    for (const instances of [0, 3]) {
      const { spec, observed } = cluster({ instances });
      observed.stopped = true;
      observed.components = [{ ...makeComponent('herd-0', 'member'), running: false }];
      expect(judge(observed, spec).verdict).toBe('stopped');
    }
  });

  it('puts the loudest first, once, and names the commands that help', () => {
    const { spec, observed } = cluster({ namespace: 'school' });
    set(observed, 'herd-2', { state: 'lost' });
    set(observed, 'herd-0', { role: 'standby', state: 'stopped' });
    const { reasons, next } = judge(observed, spec);
    expect(reasons[0]).toBe('no primary takes writes');
    expect(next).toEqual([
      'pgherd events herd --namespace school',
      'pgherd logs herd --component herd-0 --namespace school',
      'pgherd logs herd --component herd-2 --namespace school',
    ]);
  });

  it('notes another major version, and stays healthy', () => {
    const { spec, observed } = cluster();
    observed.version.actual = '15.14';
    expect(judge(observed, spec)).toMatchObject({
      verdict: 'healthy',
      notes: ['PostgreSQL 15.14 runs, 16 is wanted'],
    });
  });

  it('counts a loss where commits do not wait, whatever the mode', () => {
    const { spec, observed } = cluster({ parameters: { synchronous_commit: 'off' } });
    const { lossIfPrimaryDied, promise } = judge(observed, spec);
    expect(lossIfPrimaryDied.possible).toBe(true);
    expect(promise.rpo).toContain('synchronous_commit = off');
  });
});

describe('promiseOf', () => {
  it.each([
    ['single', makeSpec({ instances: 1 }), /all since the last backup when the disk is lost$/],
    [
      'sync',
      makeSpec(),
      /^0 acknowledged writes lost as long as a synchronous standby survives; .*falls back to asynchronous$/,
    ],
    [
      'strict',
      makeSpec({ patroni: { synchronousMode: 'strict' } }),
      /without a synchronous standby no write is acknowledged$/,
    ],
    ['async', makeSpec({ patroni: { synchronousMode: 'async' } }), /up to 32 MiB of WAL/],
  ])('%s', (mode, spec, rpo) => {
    const promise = promiseOf(spec, { ttl: 30, loopWait: 10 });
    expect(promise.mode).toBe(mode);
    expect(promise.rpo).toMatch(rpo);
    expect(promise.rto).toMatch(/by design, not measured/);
  });

  it('takes its times from what Patroni runs with', () => {
    expect(promiseOf(makeSpec(), { ttl: 20, loopWait: 2 }).rto).toContain('a lost host: about 25 s');
  });

  it.each([
    [
      'the control plane of this machine',
      { running: true, since: undefined },
      undefined,
      /^about 3 s while the control plane runs /,
    ],
    [
      'an operator with a sentinel',
      undefined,
      true,
      /^about 6 s while the operator runs .* a lost host: about 25 s/,
    ],
    ['nobody', undefined, false, /^a server that crashed: .*; a lost host: about 25 s \(by design/],
  ] as const)('tells who shortens the wait: %s', (_, controlPlane, operatorWatches, rto) => {
    const { observed, spec } = cluster();
    const seen = { ...observed, controlPlane, ...(operatorWatches !== undefined && { operatorWatches }) };
    expect(judge(seen, spec, { ttl: 20, loopWait: 2 }).promise.rto).toMatch(rto);
  });
});
