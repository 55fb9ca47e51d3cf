import { describe, expect, it } from 'vitest';
import { freezersIn, thaw } from './cgroup.ts';

const V1 = 'cgroup /sys/fs/cgroup/freezer cgroup rw,nosuid,relatime,freezer 0 0';
const V2 = 'cgroup2 /sys/fs/cgroup/unified cgroup2 rw,nosuid,nsdelegate 0 0';

describe('freezersIn', () => {
  it('finds both versions, the second before the first', () => {
    expect(freezersIn(['proc /proc proc rw 0 0', V1, V2, ''].join('\n'))).toEqual([
      { root: '/sys/fs/cgroup/unified', version: 2 },
      { root: '/sys/fs/cgroup/freezer', version: 1 },
    ]);
    expect(freezersIn(V2)).toEqual([{ root: '/sys/fs/cgroup/unified', version: 2 }]);
  });

  it('finds none among other controllers', () => {
    expect(freezersIn('cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0')).toEqual([]);
    expect(freezersIn('')).toEqual([]);
  });
});

describe('thaw', () => {
  it('has nothing to do for a group that is gone', async () => {
    expect(await thaw('/nonexistent/group', '/nonexistent', AbortSignal.timeout(5000))).toBeUndefined();
  });
});
