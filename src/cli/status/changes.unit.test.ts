import { describe, expect, it } from 'vitest';
import { makeDesired, makeHealthy, makeSpec } from '../../core/plan/testing/fixture.ts';
import type { Observation } from '../../core/topology/observation.ts';
import { judge } from '../../core/topology/verdict.ts';
import { changesBetween } from './changes.ts';
import type { StatusOutcome } from './handler.ts';

const spec = makeSpec();

function outcome(change: (observed: Observation) => void = () => {}): StatusOutcome {
  const observed = makeHealthy(makeDesired(spec));
  observed.endpoints = { primary: { host: '127.0.0.1', port: 5432 } };
  change(observed);
  return {
    ref: { name: 'herd', namespace: 'default' },
    spec,
    observed,
    verdict: judge(observed, spec),
    notes: [],
  };
}

describe('changesBetween', () => {
  it('tells everything at first', () => {
    const lines = changesBetween(undefined, outcome());
    expect(lines[0]).toMatch(/^healthy/);
    expect(lines.slice(1)).toEqual([
      'herd-0: primary, running, timeline 1',
      'herd-1: standby, streaming, synchronous, timeline 1',
      'herd-2: standby, streaming, timeline 1',
    ]);
  });

  it('has no news in lag and ages', () => {
    const later = outcome(observed => {
      observed.observedAt = '2026-01-02T00:00:00.000Z';
      for (const member of observed.members)
        Object.assign(member, { lagBytes: 77, lagSeconds: 3, since: 'x' });
    });
    // The verdict sentence may speak of lag: it is compared for itself.
    later.verdict = outcome().verdict;
    expect(changesBetween(outcome(), later)).toEqual([]);
  });

  it('tells of members, servers, endpoints and the control plane', () => {
    const later = outcome(observed => {
      Object.assign(observed.members[1] ?? {}, {
        role: 'primary',
        state: 'running',
        synchronous: false,
        timeline: 2,
      });
      Object.assign(observed.members[0] ?? {}, {
        role: 'unknown',
        state: 'lost',
        timeline: undefined,
        problem: 'no answer',
      });
      observed.members.pop();
      const etcd = observed.components.find(component => component.kind === 'etcd');
      if (etcd !== undefined) etcd.running = false;
      observed.components = observed.components.filter(component => component.kind !== 'proxy');
      observed.endpoints = { pooler: { host: '127.0.0.1', port: 6432 } };
      observed.controlPlane = { running: false, since: undefined };
    });
    expect(changesBetween(outcome(), later).slice(1)).toEqual([
      'herd-0: role unknown, lost, no answer',
      'herd-1: primary, running, timeline 2',
      'herd-2: removed',
      'herd-etcd-0: stopped',
      'herd-proxy-0: removed',
      'endpoint primary: removed',
      'endpoint pooler: 127.0.0.1:6432',
      'control plane: not running',
    ]);
  });
});
