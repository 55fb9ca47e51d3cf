import { expect, test } from 'vitest';
import type { LiveObject } from '../api/kinds.ts';
import { specFrom, USERS_OWN } from '../objects/testing/fixture.ts';
import { addressOf } from './addresses.ts';

const spec = specFrom(USERS_OWN);

function service(name: string, status: object = {}): LiveObject {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, uid: name, resourceVersion: '1' }, status };
}

test('without an address from outside an endpoint is its Service, known inside only', () => {
  const services = [service('wichtige-daten-3'), service('wichtige-daten-3-pooler-repl')];
  expect(addressOf(spec, 'school', 'primary', services)).toEqual({
    host: 'wichtige-daten-3.school.svc',
    port: 5432,
    note: expect.stringContaining('inside the Kubernetes cluster only'),
  });
  expect(addressOf(spec, 'school', 'poolerStandby', services)?.host).toBe(
    'wichtige-daten-3-pooler-repl.school.svc',
  );
  expect(addressOf(spec, 'school', 'pooler', services)).toBeUndefined();
});

test('a load balancer is called by the name it has, else by its address, which no certificate names', () => {
  const balanced = (ingress: object[]) => [service('wichtige-daten-3', { loadBalancer: { ingress } })];
  const at = (ingress: object[]) => addressOf(spec, 'school', 'primary', balanced(ingress));
  expect(at([{ ip: '10.0.0.9' }])).toMatchObject({ host: '10.0.0.9', port: 5432, unnamed: true });
  expect(at([{ ip: '10.0.0.9', hostname: 'db.example.com' }])?.host).toBe('db.example.com');
  expect(at([])?.host).toBe('wichtige-daten-3.school.svc');
});

test('who lets nobody in is told so', () => {
  const closed = { ...spec, allowedSourceRanges: [] };
  const services = [service('wichtige-daten-3', { loadBalancer: { ingress: [{ ip: '10.0.0.9' }] } })];
  expect(addressOf(closed, 'school', 'primary', services)?.note).toContain('lets nobody in');
  const open = { ...spec, allowedSourceRanges: ['10.0.0.0/8'] };
  expect(addressOf(open, 'school', 'primary', services)?.note).not.toContain('lets nobody in');
});
