/** Register, injection and undo with a fault of the test's own, in real files. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Fault } from '../../../core/drill/fault.ts';
import type { PgherdError } from '../../../lib/errors.ts';
import type { ClientPool } from '../clients.ts';
import { clusterPaths } from '../layout.ts';
import { type ClusterRecord, writeRecord } from '../record.ts';
import { LocalFaults } from './index.ts';
import type { FaultContext, Injectors, Prepared } from './injector.ts';
import { INJECTORS } from './injectors.ts';
import { identify } from './processes.ts';
import { Register } from './register.ts';
import type { RegisterEntry, UndoStep } from './schema.ts';
import { UNDOERS, undoAll } from './undo.ts';

const SUBNET = '127.64.3';
const FAULT: Fault = { kind: 'pause-replay', member: 'herd-1' };

let stateDir: string;
let context: FaultContext;
let children: ChildProcess[] = [];

beforeEach(async () => {
  stateDir = mkdtempSync(join(tmpdir(), 'pgherd-faults-'));
  const paths = clusterPaths(stateDir, 'default', 'herd', SUBNET);
  context = {
    stateDir,
    paths,
    record: RECORD,
    clients: undefined as unknown as ClientPool,
    reviveControlPlane: async () => {},
  };
  // Makes the directory as well.
  await new Register(paths.root).lockFile();
  await writeRecord(paths.record, RECORD);
});

afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children = [];
  rmSync(stateDir, { recursive: true, force: true });
});

describe('the register', () => {
  it('keeps what is to be undone in a file of its own, for its owner only', async () => {
    const register = new Register(context.paths.root);
    const first = entry({ id: 'a', at: '2026-01-01T00:00:00.000Z' });
    const second = entry({ id: 'b', at: '2026-01-01T00:00:01.000Z' });
    await register.add(second);
    await register.add(first);
    expect(await register.read()).toEqual({ entries: [first, second], damaged: [] });
    expect(statSync(file('a')).mode & 0o777).toBe(0o600);
    await register.remove('a');
    await register.remove('a');
    expect(await register.has('a')).toBe(false);
    expect((await register.read()).entries).toEqual([second]);
  });

  it('is empty where no drill has ever been', async () => {
    rmSync(context.paths.root, { recursive: true });
    expect(await new Register(context.paths.root).read()).toEqual({ entries: [], damaged: [] });
  });

  it.each([
    ['no JSON', '{'],
    ['another shape', '{"schema": 1}'],
    ['an unknown step', JSON.stringify({ ...entry({ id: 'x' }), undo: [{ kind: 'format-disk' }] })],
    ['nothing', ''],
  ])('names a file that holds %s, and reads the others', async (_what, text) => {
    const register = new Register(context.paths.root);
    await register.add(entry({ id: 'good' }));
    writeFileSync(file('bad'), text);
    const { entries, damaged } = await register.read();
    expect(entries.map(({ id }) => id)).toEqual(['good']);
    expect(damaged).toHaveLength(1);
    expect(damaged[0]).toMatchObject({ name: 'StateError', hint: expect.stringContaining('by hand') });
    expect(damaged[0]?.message).toContain(file('bad'));
  });
});

describe('undoAll', () => {
  const gone = { pid: 2 ** 22 - 1, startTime: '1' };

  it('tries every step, and says which failed', async () => {
    const path = join(stateDir, 'ballast');
    writeFileSync(path, 'x');
    const steps: UndoStep[] = [
      { kind: 'control-plane' },
      { kind: 'continue', processes: [gone] },
      { kind: 'remove-file', path },
    ];
    const failing = { ...context, reviveControlPlane: () => Promise.reject(new Error('no room')) };
    const error = await undoAll(steps, UNDOERS, failing, soon()).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'undo-failed', message: '1 of 3 steps of the undo failed' });
    expect((error as PgherdError).detail).toContain('control-plane: no room');
    expect(existsSync(path)).toBe(false);
    expect(await undoAll(steps.slice(1), UNDOERS, context, soon())).toEqual([`deleted ${path}`]);
  });

  it('lets a stopped process go on', async () => {
    const child = await sleeper();
    child.kill('SIGSTOP');
    await expect.poll(() => stateOf(child)).toBe('T');
    const id = await identify(child.pid);
    const steps: UndoStep[] = [{ kind: 'continue', processes: id === undefined ? [] : [id] }];
    expect(await undoAll(steps, UNDOERS, context, soon())).toEqual([`SIGCONT to ${child.pid}`]);
    await expect.poll(() => stateOf(child)).toBe('S');
  });
});

describe('an injection', () => {
  it('is registered before anything is broken, and leaves the register with its undo', async () => {
    const ballast = join(stateDir, 'ballast');
    let registered: string[] = [];
    const faults = faultsThat(ballast, async done => {
      registered = readdirSync(join(context.paths.root, 'faults')).filter(name => name.endsWith('.json'));
      writeFileSync(ballast, 'x');
      done();
    });
    const before = Date.now();
    const injection = await faults.inject(FAULT, soon());
    expect(registered).toHaveLength(1);
    expect(injection).toMatchObject({ description: 'ballast was written', weaker: undefined });
    expect(injection.at).toBeGreaterThanOrEqual(before);
    expect(await faults.registered()).toMatchObject([{ fault: FAULT, owned: true, inForce: true }]);
    expect(await faults.observe()).toEqual([{ description: 'ballast was written', owned: true }]);
    expect(await faults.undo('orphaned', progress())).toEqual([]);
    expect(existsSync(ballast)).toBe(true);
    await injection.undo(soon());
    await injection.undo(soon());
    expect(existsSync(ballast)).toBe(false);
    expect(await faults.registered()).toEqual([]);
  });

  it('that fails half way is undone, and says so', async () => {
    const ballast = join(stateDir, 'ballast');
    const faults = faultsThat(ballast, async () => {
      writeFileSync(ballast, 'x');
      throw new Error('no luck');
    });
    const error = await faults.inject(FAULT, soon()).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'injection-failed', detail: 'what was done of it was undone' });
    expect(String(error)).toContain('no luck');
    expect(existsSync(ballast)).toBe(false);
    expect(await faults.registered()).toEqual([]);
  });

  it('that cannot be undone after a failure stays in the register', async () => {
    const faults = new LocalFaults(
      { ...context, reviveControlPlane: () => Promise.reject(new Error('no room')) },
      injectors({ undo: [{ kind: 'control-plane' }], act: () => Promise.reject(new Error('no luck')) }),
    );
    const error = await faults.inject(FAULT, soon()).catch((thrown: unknown) => thrown);
    expect(String(error)).toMatch(/no luck.*not undone/);
    expect(await faults.registered()).toHaveLength(1);
    await expect(faults.undo('all', progress())).rejects.toMatchObject({ code: 'undo-failed' });
  });

  it('that is undone while it is made is undone once more', async () => {
    const ballast = join(stateDir, 'ballast');
    const faults = faultsThat(ballast, async done => {
      await faults.undo('all', progress());
      writeFileSync(ballast, 'x');
      done();
    });
    await expect(faults.inject(FAULT, soon())).rejects.toMatchObject({ code: 'injection-failed' });
    expect(existsSync(ballast)).toBe(false);
  });

  it('is not begun when it was aborted, impossible, or the cluster is stopped', async () => {
    const faults = faultsThat(join(stateDir, 'ballast'), () => Promise.reject(new Error('begun')));
    const gone = new Error('enough');
    await expect(faults.inject(FAULT, AbortSignal.abort(gone))).rejects.toBe(gone);
    const impossible = new LocalFaults(context, injectors({ obstacle: 'there is no herd-7' }));
    await expect(impossible.inject(FAULT, soon())).rejects.toMatchObject({ message: 'there is no herd-7' });
    await writeRecord(context.paths.record, { ...RECORD, stopped: true });
    await expect(faults.inject(FAULT, soon())).rejects.toThrow('does not run');
    expect(await faults.registered()).toEqual([]);
  });

  it('waits for no other drill: it is refused while one is under way, or one that died is not undone', async () => {
    const owner = await sleeper();
    const id = await identify(owner.pid);
    if (id === undefined) throw new Error('the child is gone');
    await new Register(context.paths.root).add(entry({ id: 'other', owner: id }));
    const faults = faultsThat(join(stateDir, 'ballast'), async done => done());
    const refused = await faults.inject(FAULT, soon()).catch((thrown: unknown) => thrown);
    expect(refused).toMatchObject({ name: 'RefusedError', code: 'drill-running' });
    expect(String(refused)).toContain(String(owner.pid));
    expect(await faults.undo('orphaned', progress())).toEqual([]);

    const ended = once(owner, 'exit');
    owner.kill('SIGKILL');
    await ended;
    await expect(faults.inject(FAULT, soon())).rejects.toMatchObject({ code: 'drill-left-behind' });
    expect(await faults.undo('orphaned', progress())).toEqual([
      `undid "the other": deleted ${stateDir}/other`,
    ]);
    await (await faults.inject(FAULT, soon())).undo(soon());
    expect(await faults.registered()).toEqual([]);
  });

  it('is refused while a file of the register cannot be understood; the others are undone all the same', async () => {
    await new Register(context.paths.root).add(entry({ id: 'other' }));
    writeFileSync(file('bad'), '{');
    const faults = faultsThat(join(stateDir, 'ballast'), async done => done());
    await expect(faults.registered()).rejects.toThrow(file('bad'));
    await expect(faults.inject(FAULT, soon())).rejects.toThrow(file('bad'));
    expect((await faults.observe()).map(({ description }) => description).join()).toContain(file('bad'));
    await expect(faults.undo('all', progress())).rejects.toThrow(file('bad'));
    expect(existsSync(file('other'))).toBe(false);
    expect(existsSync(file('bad'))).toBe(true);
  });
});

function faultsThat(path: string, act: Prepared['act']): LocalFaults {
  return new LocalFaults(context, injectors({ act, undo: [{ kind: 'remove-file', path }] }));
}

function injectors(facts: { obstacle?: string; act?: Prepared['act']; undo?: UndoStep[] }): Injectors {
  const { obstacle, act = async done => done(), undo = [] } = facts;
  return {
    ...INJECTORS,
    'pause-replay': {
      obstacle: async () => obstacle,
      prepare: async () => ({ description: 'ballast was written', weaker: undefined, undo, act }),
    },
  };
}

function entry(facts: Partial<RegisterEntry>): RegisterEntry {
  return {
    schema: 1,
    id: 'id',
    fault: FAULT,
    description: 'the other',
    at: '2026-01-01T00:00:00.000Z',
    owner: { pid: 2 ** 22 - 1, startTime: '1' },
    undo: [{ kind: 'remove-file', path: join(stateDir ?? '', 'other') }],
    ...facts,
  };
}

function file(id: string): string {
  return join(context.paths.root, 'faults', `${id}.json`);
}

async function sleeper(): Promise<ChildProcess> {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  children.push(child);
  await once(child, 'spawn');
  return child;
}

function stateOf(child: ChildProcess): string | undefined {
  return readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(' ')[2];
}

function soon(): AbortSignal {
  return AbortSignal.timeout(20_000);
}

function progress() {
  return { signal: soon(), progress: () => {} };
}

const RECORD: ClusterRecord = {
  schema: 1,
  name: 'herd',
  namespace: 'default',
  subnet: SUBNET,
  port: 5432,
  createdAt: '2026-01-01T00:00:00.000Z',
  stopped: false,
  isolated: false,
  volumeBytes: 0,
  drillsAllowed: true,
  uid: '00000000-0000-4000-8000-000000000000',
  wantedVersion: '15',
  serviceUser: { name: 'postgres', uid: 1, gid: 1 },
  postgres: { major: 15, version: '15.0', binDir: '/nonexistent' },
  programs: {
    etcd: 'etcd',
    pgbackrest: '/usr/bin/pgbackrest',
    pgbackrestVersion: '2.45',
    haproxy: 'haproxy',
    pgbouncer: 'pgbouncer',
    tini: 'tini',
    flock: 'flock',
    openssl: 'openssl',
    runsvdir: 'runsvdir',
    svlogd: 'svlogd',
    chpst: 'chpst',
    patroni: ['patroni'],
    patroniEnv: {},
    pgbouncerVersion: '1.18.0',
  },
};
