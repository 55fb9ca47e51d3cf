import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LiveObject } from '../api/kinds.ts';
import { asLogLine, inOrder, type PodLine, selected } from './logLines.ts';
import { sourceOf } from './logs.ts';

const stamp = (n: number) => `2026-11-23T01:00:00.${String(n).padStart(9, '0')}Z`;
const line = (component: string, n: number, text = ''): PodLine => ({ component, stamp: stamp(n), text });

test('lines of several pods come in the order of time, those of one pod in its own', () => {
  const pods = fc.array(fc.array(fc.nat(5), { maxLength: 8 }), { maxLength: 4 });
  fc.assert(
    fc.property(pods, all => {
      const each = all.map((stamps, pod) =>
        stamps.sort((a, b) => a - b).map((n, at) => line(`demo-${pod}`, n, String(at))),
      );
      const merged = inOrder(each.flat());
      expect(merged.map(one => one.stamp)).toEqual(merged.map(one => one.stamp).sort());
      for (const [pod, own] of each.entries()) {
        expect(merged.filter(one => one.component === `demo-${pod}`)).toEqual(own);
      }
    }),
    { numRuns: 30 },
  );
});

test('a moment and a number choose the last lines of all pods together', () => {
  const lines = [line('demo-0', 1), line('demo-0', 4), line('demo-1', 2), line('demo-1', 3)];
  const stamps = (from: string, tail: number | undefined) =>
    selected(lines, { from, tail }).map(one => Number(one.stamp.slice(20, 29)));
  expect(stamps('', undefined)).toEqual([1, 2, 3, 4]);
  expect(stamps(stamp(3), undefined)).toEqual([3, 4]);
  expect(stamps('', 2)).toEqual([3, 4]);
  expect(stamps('', 9)).toEqual([1, 2, 3, 4]);
  expect(stamps('', 0)).toEqual([]);
});

test('a line is told to the millisecond', () => {
  expect(asLogLine(line('demo-0', 123_456_789, 'text'))).toEqual({
    at: '2026-11-23T01:00:00.123Z',
    component: 'demo-0',
    text: 'text',
  });
});

function pod(name: string, labels: Record<string, string>, status: object = {}): LiveObject {
  const metadata = { name, namespace: 'school', uid: name, resourceVersion: '1', labels };
  return { apiVersion: 'v1', kind: 'Pod', metadata, status };
}

test('members and poolers have logs, chosen by pod or by the name of the pooler; others have not', () => {
  const member = pod('demo-0', { application: 'spilo' });
  const pooler = pod('demo-pooler-x1', {
    application: 'db-connection-pooler',
    'connection-pooler': 'demo-pooler',
  });
  const names = (components: string[]) =>
    [member, pooler, pod('demo-backup-0', { application: 'other' }), pod('bare', {})].flatMap(
      one => sourceOf(one, 'demo', components)?.pod ?? [],
    );
  expect(names([])).toEqual(['demo-0', 'demo-pooler-x1']);
  expect(names(['demo-pooler'])).toEqual(['demo-pooler-x1']);
  expect(names(['demo-0', 'demo-pooler-x1'])).toEqual(['demo-0', 'demo-pooler-x1']);
  expect(names(['demo-7'])).toEqual([]);
});

test('of a container that was started again its log before is read as well', () => {
  const status = (restartCount: number) => ({
    containerStatuses: [
      { name: 'sidecar', restartCount: 3 },
      { name: 'postgres', restartCount },
    ],
  });
  const labels = { application: 'spilo' };
  expect(sourceOf(pod('demo-0', labels, status(0)), 'demo', [])?.restarted).toBe(false);
  expect(sourceOf(pod('demo-0', labels, status(1)), 'demo', [])?.restarted).toBe(true);
  expect(sourceOf(pod('demo-0', labels), 'demo', [])?.restarted).toBe(false);
});
