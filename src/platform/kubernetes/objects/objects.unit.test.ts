import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { desiredObjects } from './index.ts';
import { inputOf, specFrom } from './testing/fixture.ts';

/** Everything that one operator is told for one manifest, as `kubectl apply` would take it. */
function rendered(path: string, config: Record<string, unknown> = {}): string {
  return desiredObjects(inputOf(specFrom(path), config))
    .map(object => stringify(object, { aliasDuplicateObjects: false, lineWidth: 0 }))
    .join('---\n');
}

describe('all objects of a cluster', () => {
  it('of the user’s own manifest', async () => {
    await expect(rendered('examples/wichtige-daten-3.yaml')).toMatchFileSnapshot(
      'golden/wichtige-daten-3.yaml',
    );
  });
});
