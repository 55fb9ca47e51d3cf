import { describe, expect, it } from 'vitest';
import { manifestWith, specOf } from '../../../core/manifest/manifestFixture.ts';
import { desiredObjects, heldBack, type KubeObject } from './index.ts';
import { inputOf } from './testing/fixture.ts';

const objectsOf = (lines: string[] = [], config = {}) => {
  const manifest = manifestWith(['enableConnectionPooler: true', ...lines].join('\n'));
  return desiredObjects(inputOf(specOf(manifest, 'kubernetes'), config));
};
const among = (objects: KubeObject[]) => (kind: string, name: string) =>
  objects.find(object => object.kind === kind && object.metadata.name === name);
const held = (before: KubeObject[], after: KubeObject[]) => [...heldBack(after, among(before))].sort();

const newer = { images: { '16': 'registry.example.com/newer:16', '17': 'registry.example.com/newer:17' } };

describe('changes of pods that nobody asked for', () => {
  it('are held back with the configuration that those pods read', () => {
    expect(
      held(objectsOf(), objectsOf([], { ...newer, poolerImage: 'registry.example.com/newer-pooler' })),
    ).toEqual([
      'ConfigMap/herd-patroni',
      'ConfigMap/herd-pooler',
      'Deployment/herd-pooler',
      'StatefulSet/herd',
    ]);
    expect(held(objectsOf(), objectsOf([], newer))).toEqual(['ConfigMap/herd-patroni', 'StatefulSet/herd']);
  });

  it('are done along with one that somebody asked for', () => {
    expect(held(objectsOf(), objectsOf(['podAnnotations: { a: b }'], newer))).toEqual([]);
    expect(held(objectsOf(), objectsOf(['dockerImage: mine']))).toEqual([]);
  });

  it('stay held back when the manifest changes in what does not concern pods', () => {
    const after = objectsOf(['users: { other: [] }', 'allowedSourceRanges: ["10.0.0.0/8"]'], newer);
    expect(held(objectsOf(), after)).toEqual(['ConfigMap/herd-patroni', 'StatefulSet/herd']);
  });

  it('are those of an older operator, too, which did not say what had been asked for', () => {
    const older = objectsOf([], newer).map(object => ({
      ...object,
      metadata: { ...object.metadata, annotations: { 'pgherd.dev/template-hash': 'older' } },
    }));
    expect(held(older, objectsOf())).toContain('StatefulSet/herd');
  });

  it('are none where nothing is there yet, or nothing changes', () => {
    expect(held([], objectsOf())).toEqual([]);
    expect(held(objectsOf(), objectsOf())).toEqual([]);
  });
});
