import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { EventsDocument } from '../../../src/cli/schema.ts';
import type { Fault } from '../../../src/core/drill/fault.ts';
import { eventually, WITHIN } from '../../support/poll.ts';
import { type Stage, stateOf } from './stage.ts';

async function die(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

export function registerTests(stage: Stage): void {
  const files = () => readdirSync(stage.registerDirectory).filter(name => name.endsWith('.json'));
  const stop = async (): Promise<Fault> => {
    const [member = ''] = await stage.standbys();
    return { kind: 'signal', member, process: 'startup', signal: 'STOP' };
  };
  const stopped = () => stage.processes().filter(({ pid }) => stateOf(pid) === 'T');

  describe('the register', () => {
    it('keeps a second drill away; what one that was killed left is undone by the control plane', async () => {
      const first = await stage.injectElsewhere(await stop());
      await eventually('the process to be stopped', WITHIN.notice, () => stopped().length === 1);
      const refused = await stage.faults.inject(await stop(), stage.soon()).catch((error: unknown) => error);
      expect(refused).toMatchObject({ name: 'RefusedError', code: 'drill-running' });
      expect(String(refused)).toContain(`process ${first.pid}`);
      expect(stopped()).toHaveLength(1);

      await die(first);
      await eventually('the process to go on', WITHIN.notice, () => stopped().length === 0);
      await eventually('the register to be empty', WITHIN.notice, () => files().length === 0);
      await eventually('the journal to tell', WITHIN.notice, async () => {
        const { events } = await stage.cluster.sandbox.json<EventsDocument>(['events', 'kaputt']);
        return events.some(({ event, actor }) => event === 'drill-undone' && actor === 'keeper');
      });
      await stage.whole();
    });

    it('is carried out by whoever asks where no control plane is', async () => {
      await die(await stage.injectElsewhere({ kind: 'kill-control-plane' }));
      // It broke nothing that lasts, and stands in nobody's way.
      await die(await stage.injectElsewhere(await stop()));
      expect(files()).toHaveLength(1);
      expect(stopped()).toHaveLength(1);
      const [sentence] = await stage.faults.undo('orphaned', stage.context());
      expect(sentence).toContain('SIGCONT');
      expect(stopped()).toEqual([]);
      expect(files()).toEqual([]);
      await stage.opened.guard();
      await stage.whole();
    });

    it('with a file that cannot be understood is told of, and nobody crashes', async () => {
      const path = join(stage.registerDirectory, 'damaged.json');
      const keeper = () => stage.processes().find(({ command }) => command.endsWith(' keeper'));
      const before = await eventually('the control plane', WITHIN.notice, keeper);
      writeFileSync(path, '{"schema": 1');
      try {
        await expect(stage.faults.registered()).rejects.toThrow(path);
        await expect(stage.faults.undo('all', stage.context())).rejects.toThrow(path);
        const status = await stage.cluster.status();
        expect(status.verdict).toBe('degraded');
        expect(status.reasons.join()).toContain(path);
        const refused = await stage.cluster.sandbox.failure(['up', stage.file]);
        expect(refused.error).toMatchObject({ code: 'state-unreadable', hint: expect.stringMatching(/./) });
        expect(keeper()?.pid).toBe(before.pid);
      } finally {
        rmSync(path, { force: true });
      }
      await stage.whole();
    });
  });
}
