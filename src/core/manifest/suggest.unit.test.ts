import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { closest, editDistance } from './suggest.ts';

describe('suggestions', () => {
  it.each([
    ['', '', 0],
    ['abc', 'abc', 0],
    ['abc', 'acb', 1],
    ['abc', 'abcd', 1],
    ['kitten', 'sitting', 3],
  ])('%j and %j are %d edits apart', (left, right, distance) => {
    expect(editDistance(left, right)).toBe(distance);
  });

  it('is a distance: symmetric, zero only for equals, never more than the longer word', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (left, right) => {
        const distance = editDistance(left, right);
        expect(distance).toBe(editDistance(right, left));
        expect(distance === 0).toBe(left === right);
        expect(distance).toBeLessThanOrEqual(Math.max(left.length, right.length));
      }),
    );
  });

  it.each([
    ['numberOfInstance', 'numberOfInstances'],
    ['numberofinstances', 'numberOfInstances'],
    ['number_of_instances', 'numberOfInstances'],
    ['databsaes', 'databases'],
    ['xyz', undefined],
    ['u', undefined],
    ['use', undefined],
    ['user', 'users'],
    ['x'.repeat(10_000), undefined],
  ])('for %j it names %j', (word, expected) => {
    expect(closest(word, ['numberOfInstances', 'databases', 'users'])).toBe(expected);
  });
});
