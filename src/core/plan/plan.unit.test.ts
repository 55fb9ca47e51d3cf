import { describe, expect, it } from 'vitest';
import type { Observation } from '../topology/observation.ts';
import { nextBatch, plan } from './plan.ts';
import { makeComponent, makeDesired, makeHealthy, makeMember, makeSpec } from './testing/fixture.ts';
import { change, changed, member, planned, summaries } from './testing/inspect.ts';

describe('plan', () => {
  it('has nothing to do and to wait for in a healthy, unchanged cluster', () => {
    for (const instances of [0, 1, 2, 3, 5, 7]) {
      const desired = makeDesired(makeSpec({ instances }));
      expect(plan(desired, makeHealthy(desired)), `${instances} instances`).toEqual({
        steps: [],
        waiting: [],
      });
    }
  });

  it('lists everything before a cluster exists, and waits for nothing', () => {
    const desired = makeDesired(
      makeSpec({
        instances: 2,
        pooler: { primary: true },
        users: [{ name: 'bauer', flags: { ...plainFlags, login: true } }],
        databases: [{ name: 'firmendaten', owner: 'bauer' }],
      }),
    );
    const observed: Observation = {
      ...makeHealthy(desired),
      exists: false,
      components: [],
      members: [],
      dcs: undefined,
      config: undefined,
      catalog: undefined,
    };
    const { steps, waiting } = plan(desired, observed);
    expect(steps.map(step => step.summary)).toEqual([
      'prepare herd: directories, certificates, passwords, addresses',
      'start etcd herd-etcd-0',
      'start member herd-0',
      'start member herd-1',
      'start pooler herd-pooler-0',
      'start proxy herd-proxy-0',
      'create role admin (cannot log in)',
      'create role bauer (may log in)',
      'create role pooler (may log in)',
      'create database firmendaten owned by bauer',
      "install the pooler's user lookup in database firmendaten",
      "install the pooler's user lookup in database postgres",
    ]);
    expect(waiting).toEqual([]);
    expect(nextBatch({ steps, waiting }).map(step => step.action.kind)).toEqual(['prepare']);
    const prepared = plan(desired, { ...observed, exists: true });
    expect(summaries(nextBatch(prepared))).toEqual(['start etcd herd-etcd-0']);
    const afterEtcd = { ...observed, exists: true, components: [makeComponent('herd-etcd-0', 'etcd')] };
    expect(summaries(nextBatch(plan(desired, afterEtcd)))).toEqual([
      'start member herd-0',
      'start member herd-1',
    ]);
  });

  it('starts what leads clients to the members after them, unless no primary is to be expected', () => {
    const desired = makeDesired(makeSpec({ pooler: { primary: true } }));
    const observed = makeHealthy(desired);
    change(observed, 'herd-pooler-0', { running: false });
    change(observed, 'herd-proxy-0', { running: false });
    const fronts = ['start pooler herd-pooler-0', 'start proxy herd-proxy-0'];
    const starts = () => planned(desired, observed).filter(summary => summary.includes('start'));
    expect(starts()).toEqual(fronts);
    for (const each of observed.members) Object.assign(each, { role: 'standby', state: 'running' });
    expect(starts()).toEqual(fronts);
    member(observed, 'herd-0').state = 'creating';
    expect(starts()).toEqual(fronts.map(front => `(there is no primary yet) ${front}`));
    for (const each of observed.members) Object.assign(each, { role: 'unknown', state: 'lost' });
    expect(starts()).toEqual(fronts);
  });

  it('says what it waits for while members are created', () => {
    const desired = makeDesired(makeSpec());
    const observed = makeHealthy(desired);
    observed.members = [
      makeMember('herd-0', { role: 'primary', state: 'running' }),
      makeMember('herd-1', { state: 'creating' }),
    ];
    expect(plan(desired, observed)).toEqual({
      steps: [],
      waiting: [
        'herd-1 is being created from the primary',
        'herd-2 has not reported yet',
        'synchronous standby not yet chosen',
      ],
    });
    observed.members = [];
    expect(plan(desired, observed).waiting[0]).toBe('no primary yet');
  });

  it('starts what does not run, and nothing else while the DCS has no quorum', () => {
    const { observed, desired } = changed({}, { parameters: { work_mem: '8MB' } });
    observed.dcs = { voters: 3, healthyVoters: 1 };
    change(observed, 'herd-etcd-1', { running: false });
    change(observed, 'herd-2', { running: false });
    change(observed, 'herd-1', { outdated: 'restart' });
    const result = plan(desired, observed);
    expect(summaries(result.steps)).toEqual([
      'start etcd herd-etcd-1',
      'start member herd-2',
      '(the DCS has no quorum: 1 of 3 voters answer) change work_mem not set → 8MB',
      '(the DCS has no quorum: 1 of 3 voters answer) restart standby herd-1 with its Patroni',
    ]);
    expect(summaries(nextBatch(result))).toEqual(['start etcd herd-etcd-1']);
  });

  it('does nothing to members while two claim to be primary', () => {
    const { observed, desired } = changed({}, { instances: 2 });
    Object.assign(member(observed, 'herd-1'), { role: 'primary', state: 'running' });
    const result = plan(desired, observed);
    expect(nextBatch(result)).toEqual([]);
    expect(result.steps[0]?.blockedBy).toBe('herd-0 and herd-1 both claim to be primary');
    expect(result.waiting[0]).toBe('herd-0 and herd-1 both claim to be primary: Patroni has to demote one');
  });
});

const plainFlags = {
  superuser: false,
  inherit: true,
  login: false,
  createrole: false,
  createdb: false,
  replication: false,
  bypassrls: false,
};

describe('parameters', () => {
  it('patches, then foresees the restarts: standbys nobody waits for, synchronous ones, the primary', () => {
    const { observed, desired } = changed(
      { parameters: { max_connections: '100', work_mem: '4MB' } },
      { parameters: { max_connections: '200' } },
    );
    const result = plan(desired, observed);
    expect(summaries(result.steps)).toEqual([
      'change max_connections 100 → 200, work_mem 4MB → default',
      'restart PostgreSQL of standby herd-2',
      'restart PostgreSQL of standby herd-1',
      'restart PostgreSQL of primary herd-0',
    ]);
    expect(result.steps[0]?.action).toEqual({
      kind: 'configure',
      patch: { postgresql: { parameters: { max_connections: '200', work_mem: null } } },
    });
    expect(result.steps[1]?.reason).toBe('max_connections 100 → 200 takes effect at a restart only');
    expect(result.steps.map(step => step.impact)).toEqual([
      'none',
      'interruption',
      'interruption',
      'interruption',
    ]);
    expect(nextBatch(result)).toHaveLength(1);
  });

  it('restarts the primary first where everything only gets less', () => {
    const { observed, desired } = changed(
      { parameters: { max_connections: '200' } },
      { parameters: { max_connections: '100' } },
    );
    expect(planned(desired, observed).slice(1, 2)).toEqual(['restart PostgreSQL of primary herd-0']);
    const later = makeHealthy(desired);
    for (const each of later.members) {
      each.pendingRestart = true;
      each.pendingRestartReason = { max_connections: { from: '200', to: '100' } };
    }
    expect(planned(desired, later)).toEqual([
      'restart PostgreSQL of primary herd-0',
      'restart PostgreSQL of standby herd-2',
      'restart PostgreSQL of standby herd-1',
    ]);
  });

  it('restarts no second member while one is not well', () => {
    const desired = makeDesired(makeSpec());
    const observed = makeHealthy(desired);
    for (const each of observed.members) each.pendingRestart = true;
    member(observed, 'herd-2').state = 'starting';
    member(observed, 'herd-2').pendingRestart = false;
    const result = plan(desired, observed);
    expect(nextBatch(result)).toEqual([]);
    expect(summaries(result.steps)[0]).toBe('(herd-2 is starting) restart PostgreSQL of standby herd-1');
    expect(result.waiting).toEqual(['herd-2 is starting']);
  });

  it('restarts the only instance in place and says that nobody takes over', () => {
    const desired = makeDesired(makeSpec({ instances: 1 }));
    const observed = makeHealthy(desired);
    member(observed, 'herd-0').pendingRestart = true;
    const [step] = plan(desired, observed).steps;
    expect(step).toMatchObject({
      action: { kind: 'restart-member', member: 'herd-0' },
      impact: 'interruption',
    });
    expect(step?.summary).toContain('no other member can take over');
  });

  it('moves the primary away before its Patroni is restarted', () => {
    const desired = makeDesired(makeSpec());
    const observed = makeHealthy(desired);
    for (const name of ['herd-0', 'herd-1', 'herd-2'])
      change(observed, name, { outdated: 'restart', differences: ['certificate'] });
    expect(planned(desired, observed)).toEqual([
      'restart standby herd-2 with its Patroni',
      'restart standby herd-1 with its Patroni',
      'switch over from herd-0 to herd-1',
      'restart herd-0 with its Patroni',
    ]);
  });

  it('turns strict mode on only when there is a standby to confirm', () => {
    const { observed, desired } = changed({}, { patroni: { synchronousMode: 'strict' } });
    expect(plan(desired, observed).steps[0]?.blockedBy).toBeUndefined();
    member(observed, 'herd-1').state = 'creating';
    expect(plan(desired, observed).steps[0]?.blockedBy).toBe('herd-1 is being created from the primary');
  });
});
