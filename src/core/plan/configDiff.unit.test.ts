import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DynamicConfig } from '../topology/observation.ts';
import { describeChanges, diffConfig } from './configDiff.ts';
import { isRecord, sameValue } from './values.ts';

describe('sameValue', () => {
  it.each([
    [100, '100', true],
    ['100', '100.0', true],
    [true, 'on', true],
    ['off', false, true],
    ['yes', 'ON', true],
    ['1', 'on', true],
    [0, false, true],
    ['1', '2', false],
    ['on', 'off', false],
    ['4MB', '4MB ', true],
    ['1GB', '1024MB', false],
    ['Europe/Berlin', 'europe/berlin', false],
    [null, undefined, true],
    [null, 'x', false],
    [['a', 'b'], ['a', 'b'], true],
    [['a', 'b'], ['b', 'a'], false],
    [{ a: 1 }, { a: '1', b: null }, true],
    [{ a: 1 }, ['a'], false],
  ])('%j and %j: %s', (a, b, same) => {
    expect(sameValue(a, b)).toBe(same);
    expect(sameValue(b, a)).toBe(same);
  });
});

describe('diffConfig', () => {
  it('leaves alone what is not desired, but for parameters and slots', () => {
    const observed: DynamicConfig = {
      ttl: 30,
      pause: false,
      postgresql: { use_pg_rewind: true, parameters: { work_mem: '4MB', jit: 'off' }, pg_hba: ['a'] },
      slots: { old: { type: 'physical' }, kept: { type: 'physical' } },
    };
    const desired: DynamicConfig = {
      ttl: 20,
      postgresql: { parameters: { jit: false }, pg_hba: ['a', 'b'] },
      slots: { kept: { type: 'logical', database: 'shop' } },
    };
    const { patch, changes } = diffConfig(observed, desired);
    expect(patch).toEqual({
      ttl: 20,
      postgresql: { parameters: { work_mem: null }, pg_hba: ['a', 'b'] },
      slots: { kept: { type: 'logical', database: 'shop' }, old: null },
    });
    expect(describeChanges(changes)).toBe(
      'ttl 30 → 20, work_mem 4MB → default, pg_hba 1 line → 2 lines, slot kept {"type":"physical"} → {"type":"logical","database":"shop"}, slot old {"type":"physical"} → default',
    );
  });

  it('deletes the old keys of a slot that is described anew', () => {
    const observed = { slots: { cdc: { type: 'logical', database: 'shop', plugin: 'wal2json' } } };
    const { patch } = diffConfig(observed, { slots: { cdc: { type: 'physical' } } });
    expect(patch).toEqual({ slots: { cdc: { type: 'physical', database: null, plugin: null } } });
  });

  it('does not touch slots where none are managed', () => {
    expect(diffConfig({ slots: { theirs: {} } }, { ttl: 30 }).patch).toEqual({ ttl: 30 });
  });

  it('leaves nothing to patch once its patch is merged', () => {
    const scalar = fc.constantFrom<string | number | boolean | null>(
      'on',
      'off',
      1,
      '1',
      0,
      '64MB',
      true,
      null,
      'x',
    );
    const config: fc.Arbitrary<DynamicConfig> = fc.record(
      {
        ttl: fc.constantFrom(20, 30),
        synchronous_mode: fc.boolean(),
        postgresql: fc.record(
          {
            use_slots: fc.boolean(),
            parameters: fc.dictionary(fc.constantFrom('a', 'b', 'c'), scalar),
            pg_hba: fc.array(fc.constantFrom('host', 'local'), { maxLength: 2 }),
          },
          { requiredKeys: [] },
        ),
        slots: fc.dictionary(
          fc.constantFrom('s', 't'),
          fc.dictionary(fc.constantFrom('type', 'plugin'), fc.constantFrom('u', 'v')),
        ),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(config, config, (observed, desired) => {
        const merged = merge(observed, diffConfig(observed, desired).patch);
        expect(diffConfig(merged, desired).changes).toEqual([]);
      }),
    );
  });
});

/** As Patroni merges (utils.patch_config). */
function merge(into: Record<string, unknown>, patch: Record<string, unknown>): Record<string, unknown> {
  const result = { ...into };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else if (isRecord(value) && isRecord(result[key])) result[key] = merge(result[key], value);
    else result[key] = value;
  }
  return result;
}
