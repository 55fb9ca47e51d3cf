import { describe, expect, it } from 'vitest';
import { decide } from './decide.ts';
import { begin, type Evidence } from './evidence.ts';
import { look, taken } from './look.ts';
import { observe } from './observe.ts';
import type { LeaderRead, Sample } from './sample.ts';
import { makeHung, makeLost, makeSetting, now, primary } from './testing/fixture.ts';

const setting = makeSetting();
const ttlMs = 20_000;

function held(at: number, changes: Partial<Extract<LeaderRead, { state: 'held' }>> = {}): LeaderRead {
  return {
    state: 'held',
    name: primary,
    revision: '7',
    leaseRemainingMs: 19_000,
    ttlMs,
    sentAt: at,
    ...changes,
  };
}

function seen(at: number, changes: Partial<Sample> = {}): Sample {
  return { at, ownLateMs: 0, setting, member: primary, leader: held(at), ...changes };
}

/** After looks 100 ms apart from 0 on. */
function havingSeen(...samples: Partial<Sample>[]): Evidence {
  return samples.reduce<Evidence>(
    (memory, sample, index) => observe(memory, seen(index * 100, sample)),
    observe(begin(-200, setting), seen(-100)),
  );
}

const silent: Partial<Sample> = { link: { state: 'silent' } };
const answered: Partial<Sample> = { link: { state: 'answered', takesWrites: true } };

describe('observe', () => {
  it('counts silence from the first silent look', () => {
    expect(havingSeen(answered, silent, silent, silent).watch?.quiet).toMatchObject({
      since: 100,
      heldMs: 200,
      looks: 3,
    });
    expect(havingSeen(answered, silent, answered, silent).watch?.quiet).toMatchObject({
      since: 300,
      heldMs: 0,
    });
  });

  it('lets a late look break what must be consecutive, and cost the rest only its time', () => {
    const failed = (at: number) => ({ newConnection: { succeeded: false, endedAt: at } });
    const { watch } = havingSeen(
      { ...silent, ...failed(0) },
      { ...silent, ...failed(100) },
      { ...silent, ...failed(200), ownLateMs: 151 },
      { ...silent, ...failed(300) },
    );
    expect(watch?.quiet).toMatchObject({ since: 300, looks: 1 });
    expect(watch?.unseen).toMatchObject({ since: 300, looks: 1 });
    const dumb = havingSeen(silent, silent, { ownLateMs: 151 }).watch;
    expect([dumb?.quiet, dumb?.unseen]).toEqual([undefined, undefined]);
    expect(watch?.loginsFail).toMatchObject({ since: 0, heldMs: 300, looks: 4, probes: 4 });
  });

  it('takes a late look off the patience with a host, so that the end of a blip is heard in time', () => {
    const before = havingSeen(answered, silent, silent);
    const late = observe(before, seen(350, { ...silent, ownLateMs: 100 }));
    expect(before.watch?.unseen?.heldMs).toBe(100);
    expect(late.watch).toMatchObject({ unseen: { heldMs: 200, looks: 3 }, quiet: { heldMs: 250 } });
    const hardly = observe(before, seen(250, { ...silent, ownLateMs: 50 }));
    expect(hardly.watch?.unseen?.heldMs).toBe(150);
    const stoodStill = observe(before, seen(590, { ...silent, paceMs: 50 }));
    expect(stoodStill.watch?.unseen?.heldMs).toBe(200);
  });

  it('lets a late look add 0.4 s at most to what takes seconds: a busy machine is slow, not blind', () => {
    const at = 10_000;
    const hung: Partial<Sample> = {
      newConnection: { succeeded: false, endedAt: at },
      commit: { state: 'running', since: -50 },
      patroni: { answered: false, failsafe: false, endedAt: at },
    };
    const { watch } = havingSeen(
      { ...answered, ...hung },
      { ...answered, ...hung, at: at + 60_000, ownLateMs: 59_900 },
      { ...answered, ...hung, at: at + 60_300, ownLateMs: 200 },
    );
    for (const streak of [watch?.loginsFail, watch?.commit?.stalled, watch?.patroniSilent]) {
      expect(streak).toMatchObject({ heldMs: 700, looks: 3 });
    }
  });

  it('counts no bad news of a late look about what is quick', () => {
    const bad: Partial<Sample> = {
      process: 'gone',
      link: { state: 'closed' },
      commit: { state: 'running', since: -50 },
      patroni: { answered: false, failsafe: false, endedAt: 100 },
      strays: ['demo-2'],
      vantages: [{ from: 'demo-1', reached: false }],
    };
    const late = havingSeen(silent, { ...bad, ownLateMs: 151 });
    expect(late.watch).toMatchObject({ gone: undefined, quiet: undefined });
    expect(late.strays).toEqual({});
    const timely = havingSeen(silent, bad);
    expect(timely.watch).toMatchObject({
      gone: { looks: 1 },
      quiet: { looks: 2 },
      patroniSilent: { looks: 1 },
    });
    expect(timely.watch?.commit?.stalled?.looks).toBe(1);
    expect(timely).toMatchObject({ strays: { 'demo-2': { looks: 1 } } });
  });

  it('takes a look for timely that was planned long after the one before', () => {
    const later = { ...silent, at: 1_100, paceMs: 1_000 };
    expect(havingSeen(answered, later).watch?.quiet).toMatchObject({ looks: 1 });
    expect(havingSeen(answered, { ...later, at: 1_151 }).watch?.quiet).toBeUndefined();
  });

  it('takes a gap between looks, and a look from before the last one, for late', () => {
    const memory = havingSeen(answered);
    expect(observe(memory, seen(400)).timely).toBe(true);
    expect(observe(memory, seen(401)).timely).toBe(false);
    expect(observe(memory, seen(-1))).toMatchObject({ at: 0, timely: false });
  });

  it('counts probes for the member they were aimed at only', () => {
    const { watch } = havingSeen({ ...silent, member: 'demo-1' }, { ...silent, member: undefined });
    expect(watch).toMatchObject({ member: primary, link: undefined, quiet: undefined });
  });

  it('begins anew whenever the key is taken anew, and not while nobody holds it', () => {
    const lost = havingSeen(silent, silent);
    const none = observe(lost, seen(200, { ...silent, leader: { state: 'none', sentAt: 200 } }));
    expect(none.watch?.quiet?.looks).toBe(3);
    expect(none.key).toMatchObject({ state: 'none', holder: { name: primary } });
    for (const leader of [held(200, { revision: '8' }), held(200, { name: 'demo-1' })]) {
      const { watch } = observe(lost, seen(200, { leader, member: 'demo-2' }));
      expect(watch).toMatchObject({ since: 200, quiet: undefined, unseen: undefined });
    }
  });

  it('takes the best lower bound for the end of the lease', () => {
    const memory = havingSeen({ leader: held(0, { leaseRemainingMs: 19_000 }) });
    const less = observe(memory, seen(100, { leader: held(100, { leaseRemainingMs: 18_000 }) }));
    expect(less.key.holder?.leaseEndsAt).toBe(19_000);
    const more = observe(less, seen(200, { leader: held(200, { leaseRemainingMs: 19_000 }) }));
    expect(more.key.holder?.leaseEndsAt).toBe(19_200);
  });

  it('begins "unseen" anew at each sign of life, and at news only', () => {
    const others: Partial<Sample>[] = [
      { vantages: [{ from: 'demo-2', reached: true }] },
      { process: 'running' },
      { newConnection: { succeeded: true, endedAt: 150 } },
      { patroni: { answered: true, failsafe: false, endedAt: 150 } },
      { commit: { state: 'finished' } },
      { leader: held(200, { leaseRemainingMs: 19_950 }) },
    ];
    const memory = havingSeen({ ...silent, commit: { state: 'running', since: -50 } }, silent);
    expect(memory.watch?.unseen?.looks).toBe(2);
    for (const sign of others) {
      expect(
        observe(memory, seen(200, { ...silent, ...sign })).watch?.unseen,
        JSON.stringify(sign),
      ).toBeUndefined();
    }
    const old: Partial<Sample>[] = [
      { newConnection: { succeeded: true, endedAt: 100 } },
      { patroni: { answered: true, failsafe: false, endedAt: 100 } },
      { vantages: [{ from: 'demo-2', reached: undefined }] },
      { process: 'unknown' },
    ];
    for (const none of old) {
      expect(observe(memory, seen(200, { ...silent, ...none })).watch?.unseen?.looks).toBe(3);
    }
  });

  it('forgets what vantages said when doubt ends', () => {
    const doubt = havingSeen(silent, { ...silent, vantages: [{ from: 'demo-1', reached: false }] });
    expect(doubt.watch?.vantages).toMatchObject({ 'demo-1': { failures: 1 } });
    const { watch } = observe(doubt, seen(200, answered));
    expect([watch?.doubtSince, watch?.vantages]).toEqual([undefined, {}]);
  });
});

describe('what was decided', () => {
  it('is remembered: one hold, one wake, one fence, one revocation', () => {
    const revoked = taken(makeLost(), decide(makeLost()));
    expect(revoked.revoked).toEqual({ member: primary, revision: '7', at: now });
    expect(decide(revoked)).toMatchObject([{ kind: 'withheld', vetoes: [{ name: 'cool-down' }] }]);
    const fenced = taken(makeHung(), decide(makeHung()));
    expect(fenced.fences).toEqual({ [primary]: { at: now, sent: undefined } });
    expect(fenced.hold).toEqual({ since: now, untilAt: now + 10_000 });
    expect(decide(fenced)).toMatchObject([{ kind: 'withheld', vetoes: [{ name: 'cool-down' }] }]);
    const reported = observe(fenced, { ...seen(now + 100), fenced: { member: primary, sent: false } });
    expect(reported.fences[primary]?.sent).toBe(false);
  });

  it('outlives the sentinel', () => {
    const earlier = { revoked: { member: 'demo-2', revision: '6', at: now - 5_000 }, fences: {} };
    expect(begin(now, setting, earlier).revoked).toEqual(earlier.revoked);
  });

  it('is nothing before a primary is known', () => {
    const { decisions } = look(begin(0, setting), { at: 100, ownLateMs: 0, setting });
    expect(decisions).toMatchObject([{ kind: 'nothing', reason: 'no primary is known yet' }]);
  });
});
