/**
 * What others leave at a cluster: drills that are killed, and content of another shape where pgherd, Patroni or Kubernetes
 * keep theirs. One cluster of two members lives through it.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PlatformCluster } from '../../src/platform/contract.ts';
import { exec } from '../../src/platform/kubernetes/api/exec.ts';
import type { Kind } from '../../src/platform/kubernetes/api/kinds.ts';
import { createKubernetesPlatform } from '../../src/platform/kubernetes/remote/index.ts';
import { eventually } from '../support/poll.ts';
import { Bench, obstacle, type RunningOperator } from './support.ts';

const NAME = 'left';
const REGISTER = `${NAME}-faults`;
const MINUTES = 60_000;
const kubeconfig = process.env.PGHERD_TEST_KUBECONFIG ?? '';
const signal = () => AbortSignal.timeout(MINUTES);

describe.skipIf(obstacle !== undefined)(
  `what others leave at a cluster${obstacle === undefined ? '' : ` (${obstacle})`}`,
  () => {
    let bench: Bench;
    let operator: RunningOperator;
    let stateDir: string;
    let cluster: PlatformCluster;

    beforeAll(async () => {
      bench = await Bench.open();
      stateDir = await mkdtemp(join(tmpdir(), 'pgherd-left-'));
      operator = await bench.operator();
      await bench.create(NAME, {
        teamId: 'acid',
        postgresql: { version: bench.version },
        numberOfInstances: 2,
        volume: { size: '1Gi' },
        users: { bauer: [] },
        databases: { firmendaten: 'bauer' },
        resources: { requests: { cpu: '20m', memory: '100Mi' }, limits: { cpu: '1', memory: '500Mi' } },
      });
      await bench.settled(NAME, 4 * MINUTES);
      const { namespace } = bench;
      const access = { kubeconfig, context: undefined, env: process.env };
      const platform = await createKubernetesPlatform({ ...access, namespace, stateDir });
      cluster = await platform.open({ name: NAME, namespace }, signal());
    }, 6 * MINUTES);

    afterAll(async () => {
      cluster?.[Symbol.dispose]();
      await bench[Symbol.asyncDispose]();
      await rm(stateDir, { recursive: true });
    });

    const registered = async () => Object.keys((await bench.get('ConfigMap', REGISTER))?.data ?? {}).length;
    const annotate = (kind: Kind, name: string, annotations: Record<string, string>) =>
      bench.client.merge({ kind, namespace: bench.namespace, name }, { metadata: { annotations } }, signal());
    const events = async (reason: string) => {
      const { items } = await bench.client.list('Event', { namespace: bench.namespace }, signal());
      return items.filter(item => item.reason === reason).map(item => String(item.message));
    };
    const standby = async () => (await bench.members(NAME)).find(member => !member.primary)?.name ?? '';

    /** Processes of the member that are stopped. */
    async function stopped(pod: string): Promise<number> {
      const words = ['sh', '-c', 'grep -l "^State:.T" /proc/[0-9]*/status 2>/dev/null | wc -l'];
      const target = { namespace: bench.namespace, pod, container: 'postgres' };
      const { stdout } = await exec(bench.client, target, words, { timeoutMs: 15_000, signal: signal() });
      return Number(stdout);
    }

    test('what a drill has broken is left alone as long as it lives', async () => {
      const fault = { kind: 'pause-replay', member: await standby() } as const;
      const injection = await cluster.faults.inject(fault, signal());
      await delay(30_000);
      expect(await registered()).toBe(1);
      await injection.undo(signal());
      expect(await registered()).toBe(0);
      expect(await events('DrillUndone')).toEqual([]);
    });

    test('what a drill has broken that was killed, the operator undoes', async () => {
      const primary = (await bench.members(NAME)).find(member => member.primary)?.name ?? '';
      const words = ['drill', NAME, 'A4c', '--yes-break', NAME, '--kubeconfig', kubeconfig];
      const drill = spawn(process.execPath, ['src/main.ts', ...words, '-n', bench.namespace], {
        stdio: 'ignore',
        env: { ...process.env, PGHERD_STATE_DIR: stateDir },
      });
      const ended = new Promise(resolve => drill.once('exit', resolve));
      await eventually(
        'the drill to stop the checkpointer',
        MINUTES,
        async () => (await stopped(primary)) > 0,
      );
      drill.kill('SIGKILL');
      await ended;
      expect(await registered()).toBe(1);
      await eventually('it to be undone', MINUTES, async () => (await registered()) === 0);
      expect(await stopped(primary)).toBe(0);
      expect((await events('DrillUndone')).join()).toContain(`in the pod ${primary} goes on`);
    });

    test('a registered fault that cannot be understood is told, and the rest goes on', async () => {
      const ref = { kind: 'ConfigMap', namespace: bench.namespace, name: REGISTER } as const;
      await bench.client.merge(ref, { data: { odd: '{"schema":2}' } }, signal());
      await eventually('it to be told', MINUTES, async () =>
        (await events('DrillNotUndone')).some(message => message.includes('fault odd cannot be understood')),
      );
      const { faults } = await cluster.observe({ catalog: false }, signal());
      expect(faults?.map(({ description }) => description).join()).toContain('odd');
      const service = { kind: 'Service', namespace: bench.namespace, name: `${NAME}-repl` } as const;
      await bench.client.remove(service, {}, signal());
      await eventually('a Service to be back', 20_000, () => bench.client.get(service, signal()));
      await bench.client.merge(ref, { data: { odd: null } }, signal());
    });

    test('an Event with an odd annotation hides nothing of the journal', async () => {
      const whole = await bench.get('postgresql', NAME);
      const metadata = {
        name: `${NAME}.odd`,
        namespace: bench.namespace,
        annotations: { 'pgherd.dev/journal': '{"at":' },
      };
      const { name, namespace, uid } = whole?.metadata ?? {};
      const involvedObject = { apiVersion: 'acid.zalan.do/v1', kind: 'postgresql', name, namespace, uid };
      const event = {
        apiVersion: 'v1',
        kind: 'Event',
        metadata,
        involvedObject,
        reason: 'Odd',
        message: 'odd',
      };
      await bench.client.create(event, signal());
      const entries = await cluster.journal.read({ since: undefined });
      expect(entries).toContainEqual(expect.objectContaining({ event: 'Odd', message: 'odd' }));
      expect(entries.length).toBeGreaterThan(3);
    });

    test('a configuration of Patroni that cannot be read is written anew, and no pod is replaced', async () => {
      const before = await bench.members(NAME);
      const config = async () =>
        (await bench.get('ConfigMap', `${NAME}-config`))?.metadata.annotations?.config;
      await annotate('ConfigMap', `${NAME}-config`, { config: '{"ttl": "soo' });
      const text = await eventually('it to be written', MINUTES, async () => {
        const now = await config();
        return now?.startsWith('{"ttl": "soo') === true ? undefined : now;
      });
      expect(JSON.parse(text)).toMatchObject({ ttl: expect.any(Number), postgresql: expect.any(Object) });
      await bench.settled(NAME, 2 * MINUTES);
      expect((await bench.members(NAME)).map(({ uid }) => uid).sort()).toEqual(
        before.map(({ uid }) => uid).sort(),
      );
    });

    test('odd words of members and of who runs the cluster stop nobody', async () => {
      await annotate('Pod', await standby(), { status: '{"role":[],"state":' });
      await annotate('postgresql', NAME, { 'pgherd.dev/operator': 'Ä nobody' });
      const owner = async () =>
        (await bench.get('postgresql', NAME))?.metadata.annotations?.['pgherd.dev/operator'];
      await eventually('it to be claimed again', 20_000, async () =>
        (await owner())?.endsWith('/pgherd-operator'),
      );
      await bench.settled(NAME, MINUTES);
      const { members } = await cluster.observe({ catalog: false }, signal());
      expect(members.map(({ state }) => state).sort()).toEqual(['running', 'streaming']);
      expect(operator.log.join('')).not.toMatch(/TypeError|SyntaxError|undefined/);
    });
  },
);
