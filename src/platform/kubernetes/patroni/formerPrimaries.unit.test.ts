import { describe, expect, it } from 'vitest';
import type { LiveObject } from '../api/kinds.ts';
import { formerPrimaries } from './formerPrimaries.ts';
import { viewOf } from './view.ts';

const RENEWED = 500;

function pod(name: string, label: string | undefined, role: string): LiveObject {
  const labels: Record<string, string> = label === undefined ? {} : { 'spilo-role': label };
  const annotations = { status: JSON.stringify({ role, state: 'running' }) };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, uid: name, resourceVersion: '1', labels, annotations },
  };
}

/** Names of the pods that lose the label, when `leader` holds the key. */
function found(leader: string | undefined, pods: LiveObject[], renewedAgoMs = RENEWED): string[] {
  const annotations = { ...(leader === undefined ? {} : { leader }), ttl: '20' };
  const key = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'herd-leader', uid: 'l', resourceVersion: '1', annotations },
  };
  const view = viewOf({ cluster: 'herd', hashAnnotation: 'hash', pods, configMaps: [key], renewedAgoMs });
  return formerPrimaries(view, pods).map(({ metadata }) => metadata.name);
}

const lost = pod('herd-0', 'master', 'primary');
const promoted = pod('herd-1', 'master', 'primary');
const standby = pod('herd-2', 'replica', 'replica');

describe('formerPrimaries', () => {
  it('finds the primary of a lost node as soon as another one holds the key', () => {
    expect(found('herd-1', [lost, promoted, standby])).toEqual(['herd-0']);
  });

  it('finds none while all is well', () => {
    expect(found('herd-0', [lost, pod('herd-1', 'replica', 'replica'), standby])).toEqual([]);
  });

  it('leaves the pods of the pooler alone, which have the label, too', () => {
    const pooler = pod('herd-pooler-6646cc98d-sv7d6', 'master', '');
    expect(found('herd-1', [lost, promoted, standby, pooler])).toEqual(['herd-0']);
    expect(found('herd-0', [lost, standby, pooler])).toEqual([]);
  });

  it.each<[string, string | undefined, LiveObject[], number]>([
    ['nobody holds the key', undefined, [lost, promoted], RENEWED],
    ['the key was not renewed for its ttl', 'herd-1', [lost, promoted], 21_000],
    ['the new leader is not promoted yet', 'herd-1', [lost, pod('herd-1', 'master', 'replica')], RENEWED],
    ['the new primary has no label yet', 'herd-1', [lost, pod('herd-1', undefined, 'primary')], RENEWED],
  ])('takes nobody’s clients away while %s', (_, leader, pods, ago) => {
    expect(found(leader, pods, ago)).toEqual([]);
  });
});
