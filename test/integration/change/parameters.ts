import { afterEach, describe, expect, it } from 'vitest';
import type { StatusDocument } from '../../../src/cli/schema.ts';
import type { Editable } from '../change.integration.test.ts';

export function parameterTests({ sandbox, cluster, edited }: Editable): void {
  describe('parameters of PostgreSQL', () => {
    afterEach(async () => {
      await cluster.whole(3);
    });

    it('that a reload changes are in force on every member, and none restarts', async () => {
      const before = await starts();
      const parameters = { work_mem: '7MB', log_min_duration_statement: '1234' };
      const file = edited({ parameters });
      const plan = await cluster.plan(file);
      expect(plan.steps.map(step => `${step.kind} ${step.impact}`)).toEqual(['configure none']);
      const { steps } = await cluster.up(file);
      expect(steps).toEqual(plan.steps);
      await expect.poll(() => settings('work_mem')).toEqual(['7MB', '7MB', '7MB']);
      await expect.poll(() => settings('log_min_duration_statement')).toEqual(Array(3).fill('1234ms'));
      expect(await starts()).toEqual(before);
    });

    it('that are taken out of the manifest have their default again', async () => {
      await cluster.up(edited());
      await expect.poll(() => settings('work_mem')).toEqual(['4MB', '4MB', '4MB']);
      await expect.poll(() => settings('log_min_duration_statement')).toEqual(['-1', '-1', '-1']);
    });

    it('that need a restart reach the standbys first when they are raised, as planned', async () => {
      const { name: primary } = await cluster.primary();
      const file = edited({ parameters: { max_connections: '130' } });
      const plan = await cluster.plan(file);
      const restarts = plan.steps.filter(step => step.kind === 'restart-member').map(step => step.summary);
      expect(restarts).toHaveLength(3);
      expect(restarts.findIndex(summary => summary.includes(primary))).toBe(2);
      const { steps } = await cluster.up(file);
      expect(steps.map(step => step.kind)).toEqual(plan.steps.map(step => step.kind));
      const status = await cluster.whole(3);
      expect(status.members.map(member => member.pendingRestart)).toEqual([false, false, false]);
      expect(await settings('max_connections')).toEqual(['130', '130', '130']);
      const order = await startOrder(status);
      expect(order.at(-1)).toBe(primary);
    });

    it('that need a restart reach the primary first when they are lowered', async () => {
      const { name: primary } = await cluster.primary();
      const file = edited();
      const { steps } = await cluster.up(file);
      expect(steps.filter(step => step.kind === 'restart-member').length).toBeGreaterThanOrEqual(3);
      const status = await cluster.whole(3);
      expect(status.members.map(member => member.pendingRestart)).toEqual([false, false, false]);
      expect(await settings('max_connections')).toEqual(['100', '100', '100']);
      expect((await startOrder(status))[0]).toBe(primary);
      expect(await cluster.plan(file)).toMatchObject({ changes: false });
    });

    it.each([
      ['shared_buffers', '9000GB', /shared_buffers|outside the valid range/],
      ['shared_buffers', '800GB', /memory/],
      ['work_mem', 'lots', /invalid value for parameter "work_mem"/],
      ['wrok_mem', '4MB', /wrok_mem/],
      ['max_connections', '-5', /max_connections/],
    ])('that PostgreSQL refuses (%s: %s) touch nothing', async (name, value, words) => {
      const before = cluster.servers();
      for (const command of ['up', 'plan']) {
        const refused = await sandbox.failure([command, edited({ parameters: { [name]: value } })]);
        expect(refused, command).toMatchObject({ exitCode: 2 });
        const { message, detail, diagnostics } = refused.error;
        expect([message, detail, ...(diagnostics ?? []).map(one => one.message)].join('\n')).toMatch(words);
      }
      expect(cluster.servers()).toEqual(before);
      expect(await cluster.plan(edited())).toMatchObject({ changes: false });
    });

    it('that keep PostgreSQL from starting (a library that is not there) reach no member', async () => {
      const before = await starts();
      const parameters = { shared_preload_libraries: 'gibt_es_nicht' };
      try {
        const refused = await sandbox.failure(['up', edited({ parameters }), '--timeout', '60s']);
        expect(refused).toMatchObject({ exitCode: 2 });
        expect(`${refused.error.message} ${refused.error.detail}`).toContain('gibt_es_nicht');
        expect(await starts()).toEqual(before);
      } finally {
        await cluster.up(edited());
      }
    });
  });

  /** One value per member, asked at the member itself. */
  async function settings(name: string): Promise<unknown[]> {
    const { members } = await cluster.status();
    return await Promise.all(members.map(member => ask(member, `SHOW ${name}`)));
  }

  /** Since when each member's PostgreSQL runs. */
  async function starts(): Promise<string[]> {
    const { members } = await cluster.status();
    return await Promise.all(
      members.map(async member => `${member.name} ${await ask(member, 'SELECT pg_postmaster_start_time()')}`),
    );
  }

  /** Names of the members, those first whose PostgreSQL started first. */
  async function startOrder({ members }: StatusDocument): Promise<string[]> {
    const started = await Promise.all(
      members.map(async member => ({
        name: member.name,
        at: Number(await ask(member, 'SELECT extract(epoch FROM pg_postmaster_start_time())')),
      })),
    );
    return started.sort((a, b) => a.at - b.at).map(({ name }) => name);
  }

  async function ask(member: StatusDocument['members'][number], query: string): Promise<unknown> {
    await using sql = await cluster.connectMember(member);
    return await sql.value(query);
  }
}
