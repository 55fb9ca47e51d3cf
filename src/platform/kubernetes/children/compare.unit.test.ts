import { expect, test } from 'vitest';
import type { LiveObject } from '../api/kinds.ts';
import type { KubeObject } from '../objects/index.ts';
import { whyApply } from './apply.ts';
import { contains, DESIRED_HASH, editsOf } from './compare.ts';

test('defaults and fields of others do not count', () => {
  expect(contains({ a: 1, b: { c: 2, added: 3 }, more: [] }, { a: 1, b: { c: 2 } })).toBe(true);
  expect(contains({ list: [{ name: 'x', protocol: 'TCP' }] }, { list: [{ name: 'x' }] })).toBe(true);
  expect(contains({}, { empty: {}, none: [], off: false })).toBe(true);
});

test('what we asked for and is not there counts', () => {
  expect(contains({ a: 1 }, { a: 2 })).toBe(false);
  expect(contains({}, { a: 1 })).toBe(false);
  expect(contains({ list: [1, 2] }, { list: [1] })).toBe(false);
  expect(contains({ list: [2, 1] }, { list: [1, 2] })).toBe(false);
  expect(contains('x', { a: 1 })).toBe(false);
});

test('quantities are compared by their amount', () => {
  expect(contains({ cpu: '1', memory: '1Gi' }, { cpu: '1000m', memory: '1024Mi' })).toBe(true);
  expect(contains({ cpu: '2' }, { cpu: '1000m' })).toBe(false);
  expect(contains({ name: 'a' }, { name: 'b' })).toBe(false);
});

const wanted: KubeObject = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'demo', namespace: 'school', labels: { a: 'b' } },
  spec: { selector: { role: 'master' } },
};

function live(change: object = {}, version = '1'): LiveObject {
  return {
    ...wanted,
    spec: { selector: { role: 'master' }, clusterIP: '10.0.0.1', ...change },
    metadata: {
      name: 'demo',
      namespace: 'school',
      uid: 'u',
      resourceVersion: version,
      labels: { a: 'b' },
      annotations: { [DESIRED_HASH]: 'h' },
    },
  };
}

test('an object is sent when it is missing, when we want something else, and when somebody edited it', () => {
  const settled = new Map<string, string>();
  expect(whyApply(wanted, 'h', undefined, settled)).toBe('created');
  expect(whyApply(wanted, 'other', live(), settled)).toBe('changed');
  expect(whyApply(wanted, 'h', live(), settled)).toBeUndefined();
  expect(whyApply(wanted, 'h', live({ selector: { role: 'x' } }, '2'), settled)).toBe('repaired');
});

test('a status or a new version alone is no edit', () => {
  const settled = new Map([['u', editsOf(live())]]);
  expect(whyApply(wanted, 'h', { ...live({}, '9'), status: { loadBalancer: {} } }, settled)).toBeUndefined();
});

test('what the server makes of our own apply is right, so a webhook that changes it does not make us send for ever', () => {
  const stubborn = live({ selector: { role: 'changed by a webhook' } });
  const settled = new Map<string, string>();
  expect(whyApply(wanted, 'h', stubborn, settled)).toBe('repaired');
  settled.set('u', editsOf(stubborn));
  expect(whyApply(wanted, 'h', stubborn, settled)).toBeUndefined();
});
