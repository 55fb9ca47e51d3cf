import { describe, expect, it } from 'vitest';
import { nextBatch, plan } from './plan.ts';
import { makeComponent } from './testing/fixture.ts';
import { change, changed, member, planned, summaries } from './testing/inspect.ts';

describe('number of instances', () => {
  it('removes the highest ordinal first, members before voters, each alone', () => {
    const { observed, desired } = changed({ instances: 5 }, { instances: 3 });
    const result = plan(desired, observed);
    expect(summaries(result.steps)).toEqual([
      'remove member herd-4; its data directory is set aside',
      'remove member herd-3; its data directory is set aside',
      'remove etcd herd-etcd-4',
      'remove etcd herd-etcd-3',
    ]);
    expect(summaries(nextBatch(result))).toEqual(['remove member herd-4; its data directory is set aside']);
  });

  it('moves a primary that is to go to a member that stays', () => {
    const { observed, desired } = changed({ instances: 3 }, { instances: 2 });
    Object.assign(member(observed, 'herd-0'), { role: 'standby', state: 'streaming' });
    Object.assign(member(observed, 'herd-2'), { role: 'primary', state: 'running' });
    expect(planned(desired, observed)).toEqual(
      ['switch over from herd-2 to herd-1', 'remove member herd-2; its data directory is set aside'].concat(
        'remove etcd herd-etcd-2',
        'remove etcd herd-etcd-1',
      ),
    );
    // The synchronous standby goes as well: it goes first, so that Patroni chooses one that stays.
    const wide = changed({ instances: 4 }, { instances: 2 });
    Object.assign(member(wide.observed, 'herd-0'), { role: 'standby', state: 'streaming' });
    Object.assign(member(wide.observed, 'herd-1'), { synchronous: false });
    Object.assign(member(wide.observed, 'herd-2'), { synchronous: true });
    Object.assign(member(wide.observed, 'herd-3'), { role: 'primary', state: 'running' });
    expect(planned(wide.desired, wide.observed)[0]).toBe(
      'remove member herd-2; its data directory is set aside',
    );
  });

  it('says why it waits where everything is well but nobody is known to be fit to take over', () => {
    const { observed, desired } = changed(
      { instances: 3, patroni: { synchronousMode: 'async' } },
      { instances: 1, patroni: { synchronousMode: 'async' } },
    );
    Object.assign(member(observed, 'herd-0'), { role: 'standby', state: 'streaming', lagBytes: undefined });
    Object.assign(member(observed, 'herd-1'), { role: 'primary', state: 'running' });
    observed.members.pop();
    observed.components = observed.components.filter(component => component.name !== 'herd-2');
    const result = plan(desired, observed);
    expect(nextBatch(result)).toEqual([]);
    expect(result.waiting[0]).toBe(
      'switch over from herd-1 to a member that stays: waits, because no streaming standby among the members that stay could take over',
    );
  });

  it('removes nothing while a member that stays is not well, and says so', () => {
    const { observed, desired } = changed({ instances: 3 }, { instances: 2, pooler: { primary: false } });
    member(observed, 'herd-1').state = 'lost';
    const result = plan(desired, observed);
    expect(nextBatch(result)).toEqual([]);
    expect(summaries(result.steps)[0]).toBe(
      '(herd-1 does not answer) remove member herd-2; its data directory is set aside',
    );
    expect(result.waiting).toContain('herd-1 does not answer');
  });

  it('removes a dead voter before a live one', () => {
    const { observed, desired } = changed({ instances: 3 }, { instances: 2 });
    observed.members.pop();
    observed.components = observed.components.filter(component => component.name !== 'herd-2');
    observed.dcs = { voters: 3, healthyVoters: 2 };
    change(observed, 'herd-etcd-1', { running: false });
    expect(planned(desired, observed)[0]).toBe('remove etcd herd-etcd-1');
  });

  it('lets new voters join one at a time, starts new members together', () => {
    const { observed, desired } = changed({ instances: 1 }, { instances: 3 });
    const result = plan(desired, observed);
    expect(summaries(nextBatch(result))).toEqual(['start etcd herd-etcd-1']);
    observed.components.push(makeComponent('herd-etcd-1', 'etcd'), makeComponent('herd-etcd-2', 'etcd'));
    observed.dcs = { voters: 3, healthyVoters: 3 };
    expect(summaries(nextBatch(plan(desired, observed)))).toEqual([
      'start member herd-1',
      'start member herd-2',
    ]);
  });

  it('starts what is to go while there is no quorum or no primary without it', () => {
    const { observed, desired } = changed({ instances: 3 }, { instances: 1 });
    for (const component of observed.components) component.running = false;
    for (const each of observed.members) Object.assign(each, { role: 'unknown', state: 'stopped' });
    Object.assign(observed, { stopped: true, dcs: undefined, config: undefined, catalog: undefined });
    expect(planned(desired, observed).slice(0, 6)).toEqual([
      'start etcd herd-etcd-0',
      'start etcd herd-etcd-1',
      'start etcd herd-etcd-2',
      'start member herd-0',
      'start member herd-1',
      'start member herd-2',
    ]);
  });

  it('stops at 0 instances and removes nothing', () => {
    const { observed, desired } = changed({ instances: 3 }, { instances: 0 });
    const { steps } = plan(desired, observed);
    expect(steps.map(step => step.action.kind)).toEqual(['stop']);
    const stopped = {
      ...observed,
      stopped: true,
      components: observed.components.map(each => ({ ...each, running: false })),
    };
    expect(plan(desired, stopped)).toEqual({ steps: [], waiting: [] });
  });
});
