import { describe, expect, it } from 'vitest';
import { dualPrimaryMs, type MemberSample, timelineOf } from './timeline.ts';

/** "a:pps.s" says of member a, every 100 ms from 0 on: primary, primary, standby, silent, standby. */
function samples(...lines: string[]): MemberSample[] {
  return lines.flatMap(line => {
    const [member = '', letters = ''] = line.split(':');
    return [...letters].map((letter, n) => ({
      at: n * 100,
      member,
      answer:
        letter === 'p' ? ('primary' as const) : letter === 's' ? ('standby' as const) : ('silent' as const),
    }));
  });
}

const rest = { firstWriteAt: undefined, undoneAt: undefined, wholeAt: undefined };
const events = (input: Parameters<typeof timelineOf>[0]) =>
  Object.fromEntries(timelineOf(input).map(({ event, afterMs }) => [event, afterMs]));

describe('the timeline', () => {
  it('tells when the old primary ended, the key was seen free, and another one was promoted', () => {
    const members = samples(`a:pppp${'.'.repeat(20)}`, `b:ssssssss${'p'.repeat(16)}`);
    const leaders = [0, 100, 200, 300, 400, 500].map(at => ({ at, leader: at < 500 ? 'a' : undefined }));
    const found = events({ injectedAt: 200, primary: 'a', members, leaders, ...rest, firstWriteAt: 1000 });
    expect(found).toEqual({ injected: 0, fenced: 200, noticed: 300, promoted: 600, 'first-write': 800 });
  });

  it('takes a single late answer for no end', () => {
    const members = samples(`a:ppp.${'p'.repeat(20)}`, `b:${'s'.repeat(24)}`);
    expect(events({ injectedAt: 100, primary: 'a', members, leaders: [], ...rest })).toEqual({ injected: 0 });
  });

  it('does not take a DCS that does not answer for a free key', () => {
    const leaders = [{ at: 300, leader: 'unknown' as const }];
    expect(events({ injectedAt: 0, primary: 'a', members: [], leaders, ...rest })).toEqual({ injected: 0 });
  });
});

describe('two primaries at once', () => {
  it('lasts as long as both were seen as primaries', () => {
    expect(dualPrimaryMs(samples('a:pppppss', 'b:ssppppp'))).toBe(200);
    expect(dualPrimaryMs(samples('a:pppp...', 'b:sssspppp'))).toBe(0);
  });
});
