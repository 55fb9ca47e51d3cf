import { describe, expect, it } from 'vitest';
import { legacyOf } from './legacy.ts';
import { makeLost, now } from './testing/fixture.ts';
import { defaultThresholds } from './thresholds.ts';
import { coolDown } from './vetoes.ts';

const WALL = Date.parse('2026-11-22T21:00:00Z');
const deed = (secondsAgo: number, event: string, subject: string) => ({
  at: new Date(WALL - secondsAgo * 1000).toISOString(),
  event,
  subject,
});
const legacy = (...deeds: ReturnType<typeof deed>[]) => legacyOf(deeds, { wall: WALL, now });

describe('legacyOf', () => {
  it('knows the last revocation and the last fence of each member, on the own clock', () => {
    const found = legacy(
      deed(40, 'sentinel-fence', 'demo-0'),
      deed(39, 'sentinel-revoke', 'demo-0'),
      deed(20, 'sentinel-fence', 'demo-1'),
      deed(19, 'sentinel-revoke', 'demo-1'),
      deed(5, 'sentinel-hold', 'demo-2'),
    );
    expect(found.revoked).toMatchObject({ member: 'demo-1', at: now - 19_000 });
    expect(found.fences).toEqual({
      'demo-0': { at: now - 40_000, sent: true },
      'demo-1': { at: now - 20_000, sent: true },
    });
  });

  it('forbids a second act within the cool-down, and none after it', () => {
    const veto = (secondsAgo: number) =>
      coolDown(
        makeLost({}, legacy(deed(secondsAgo, 'sentinel-revoke', 'demo-2'))),
        defaultThresholds,
        undefined as never,
      );
    expect(veto(29)).toMatch(/the key of demo-2 was revoked 29 s ago/);
    expect(veto(31)).toBeUndefined();
  });

  it('takes an act from the future, where the clock was set back, for one of this moment', () => {
    expect(legacy(deed(-3600, 'sentinel-revoke', 'demo-0')).revoked?.at).toBe(now);
  });
});
