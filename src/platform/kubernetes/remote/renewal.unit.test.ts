import { expect, test } from 'vitest';
import { viewOf } from '../patroni/view.ts';
import { judged, noteRenewal } from './renewal.ts';

function view(leader: string | undefined, config?: string) {
  const map = (part: string, annotations: Record<string, string>) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: `demo-${part}`, uid: part, resourceVersion: '1', annotations },
  });
  const configMaps = [
    ...(leader === undefined ? [] : [map('leader', { leader, ttl: '20' })]),
    ...(config === undefined ? [] : [map('config', { config })]),
  ];
  return viewOf({ cluster: 'demo', hashAnnotation: 'h', pods: [], configMaps, renewedAgoMs: 0 });
}

test('the age of what the key said at the first look is not known: only another word is a renewal', () => {
  const first = noteRenewal(undefined, 'a', 1000);
  expect(first).toEqual({ text: 'a', at: 1000, renewed: false });
  expect(noteRenewal(first, 'a', 2000)).toBe(first);
  expect(noteRenewal(first, 'b', 3000)).toEqual({ text: 'b', at: 3000, renewed: true });
});

test('nothing is told of a leader until it is seen to live, or was silent for four rounds of Patroni', () => {
  const quick = view('demo-0', '{"loop_wait":1}');
  const first = noteRenewal(undefined, 'a', 0);
  expect(judged(quick, first, 4000)).toBeUndefined();
  expect(judged(quick, first, 4001)).toMatchObject({ leader: undefined, stale: true });
  expect(judged(quick, noteRenewal(first, 'b', 500), 501)).toBe(quick);
});

test('without a leader there is nothing to wait for', () => {
  const nobody = view(undefined);
  expect(judged(nobody, noteRenewal(undefined, '', 0), 0)).toBe(nobody);
});

test('the wait ends also when nobody can tell how long a round is', () => {
  for (const config of [undefined, '{', '{"loop_wait":"soon"}']) {
    const first = noteRenewal(undefined, 'a', 0);
    expect(judged(view('demo-0', config), first, 40_001), config).toMatchObject({ stale: true });
  }
});
