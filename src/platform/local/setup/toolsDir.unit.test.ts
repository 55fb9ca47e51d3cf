import { describe, expect, it } from 'vitest';
import { defaultToolsDir } from './toolsDir.ts';

describe('defaultToolsDir', () => {
  it('goes from the special to the general', () => {
    const env = { PGHERD_TOOLS_DIR: '/t', PGHERD_STATE_DIR: '/s', XDG_STATE_HOME: '/x', HOME: '/h' };
    expect(defaultToolsDir(env, 1000)).toBe('/t');
    expect(defaultToolsDir({ ...env, PGHERD_TOOLS_DIR: '' }, 1000)).toBe('/s/tools');
    expect(defaultToolsDir({ XDG_STATE_HOME: '/x', HOME: '/h' }, 1000)).toBe('/x/pgherd/tools');
    expect(defaultToolsDir({ HOME: '/h' }, 1000)).toBe('/h/.local/state/pgherd/tools');
    expect(defaultToolsDir({ HOME: '/root' }, 0)).toBe('/var/lib/pgherd/tools');
  });
});
