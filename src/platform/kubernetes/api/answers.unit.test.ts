import { expect, test } from 'vitest';
import { answerOf } from './client.ts';
import { ApiUnreachableError } from './errors.ts';
import { exitCodeOf } from './exec.ts';
import { pathOf } from './kinds.ts';

test('an exec ends with an exit code, or with why there is none', () => {
  const failed = (message: string) =>
    JSON.stringify({
      status: 'Failure',
      message: 'it failed',
      details: { causes: [{ reason: 'ExitCode', message }] },
    });
  expect(exitCodeOf('{"status":"Success"}')).toBe(0);
  expect(exitCodeOf(failed('137'))).toBe(137);
  expect(exitCodeOf('{"status":"Failure","message":"no such container"}')).toEqual({
    detail: 'no such container',
  });
});

test.each([
  '',
  'proxy error',
  'null',
  '[]',
  '{"details":7}',
  '{"status":"Failure","details":{"causes":[{"reason":"ExitCode","message":""}]}}',
])('an exec that ends with %j has no exit code', text => {
  expect(exitCodeOf(text)).toEqual({ detail: text });
});

test('a page of something else is told from an API server, with its address', () => {
  expect(answerOf('{"kind":"PodList"}', 'https://10.0.0.1:6443')).toEqual({ kind: 'PodList' });
  for (const body of ['<html>Sign in</html>', '', 'null', '"ok"']) {
    const read = () => answerOf(body, 'https://10.0.0.1:6443');
    expect(read).toThrow(ApiUnreachableError);
    expect(read).toThrow('https://10.0.0.1:6443');
  }
});

test('names of others stay one part of a path', () => {
  expect(pathOf('Lease', 'pgherd', 'pgherd-operator')).toBe(
    '/apis/coordination.k8s.io/v1/namespaces/pgherd/leases/pgherd-operator',
  );
  expect(pathOf('Secret', 'a b', '../ö?x')).toBe('/api/v1/namespaces/a%20b/secrets/..%2F%C3%B6%3Fx');
});
