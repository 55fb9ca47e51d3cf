import { describe, expect, it } from 'vitest';
import { chooseCluster } from './target.ts';
import { UsageError } from './usage.ts';

const here = [
  { name: 'alpha', namespace: 'default' },
  { name: 'alpha', namespace: 'school' },
  { name: 'beta', namespace: 'school' },
];

describe('chooseCluster', () => {
  it('needs no namespace where the name is the only one', () => {
    expect(chooseCluster(here, 'beta', undefined)).toEqual({ name: 'beta', namespace: 'school' });
  });

  it('takes the namespace that is named', () => {
    expect(chooseCluster(here, 'alpha', 'school')).toEqual({ name: 'alpha', namespace: 'school' });
  });

  it('does not guess between several, not even for the default namespace', () => {
    expect(() => chooseCluster(here, 'alpha', undefined)).toThrow(UsageError);
    expect(() => chooseCluster(here, 'alpha', undefined)).toThrow(/default, school/);
  });

  it.each([
    [here, 'gamma', undefined, /alpha \(namespace default\), alpha \(namespace school\), beta/],
    [here, 'beta', 'default', /beta exists in namespace school/],
    [[], 'beta', undefined, /pgherd up FILE/],
  ] as const)('says what there is instead', (clusters, name, namespace, hint) => {
    expect(() => chooseCluster(clusters, name, namespace)).toThrow(
      expect.objectContaining({ code: 'cluster-not-found', hint: expect.stringMatching(hint) }),
    );
  });
});
