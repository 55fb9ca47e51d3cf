import { expect, test } from 'vitest';
import { leaseNamed } from './claim.ts';

test('an operator is found by its Lease', () => {
  expect(leaseNamed('pgherd/pgherd-operator')).toEqual({
    kind: 'Lease',
    namespace: 'pgherd',
    name: 'pgherd-operator',
  });
});

test('what no operator has written names none', () => {
  for (const text of ['', 'pgherd', 'pgherd/', '/x', 'a/b/c', 'Ä/x', 'a b/c', '../x/y'])
    expect(leaseNamed(text), text).toBeUndefined();
});
