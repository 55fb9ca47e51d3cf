import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DeadMansSwitch } from './deadMansSwitch.ts';

const MODULE = join(import.meta.dirname, 'deadMansSwitch.ts');
const SOON_MS = 3_000;

describe("the dead man's switch", () => {
  let dir: string;
  const children: ChildProcess[] = [];

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'pgherd switch '));
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await rm(dir, { recursive: true });
  });

  /** Somebody who is held: says so when he is let go on. */
  async function someone(name: string) {
    const child = spawn('sh', ['-c', 'trap "echo on; exit" USR2; echo held; while :; do sleep 0.02; done']);
    children.push(child);
    await once(child.stdout, 'data');
    const file = join(dir, name);
    await writeFile(file, `${child.pid}\n`);
    let goesOn = false;
    const goneOn = once(child, 'exit').then(() => {
      goesOn = true;
    });
    return { file, goneOn, waits: () => !goesOn };
  }

  const passed = (ms: number) => new Promise<'waits still'>(end => setTimeout(end, ms, 'waits still'));

  it('lets who is held go on when the time is up, and nobody else', async () => {
    const [pooler, door] = [await someone('pooler'), await someone('the door')];
    const ready = new DeadMansSwitch({ poolers: [pooler.file, join(dir, 'nobody')], door: door.file });
    await passed(100);
    expect([pooler.waits(), door.waits()]).toEqual([true, true]);
    ready.arm({ limitMs: 200, shut: false });
    await Promise.race([pooler.goneOn, passed(SOON_MS)]);
    await passed(100);
    expect([pooler.waits(), door.waits()]).toEqual([false, true]);
  });

  it('lets all go on, the shut door too, when whoever armed it is killed', async () => {
    const [pooler, door] = [await someone('pooler'), await someone('door')];
    const held = JSON.stringify({ poolers: [pooler.file], door: door.file });
    const script = `
      const { DeadMansSwitch } = await import(${JSON.stringify(MODULE)});
      new DeadMansSwitch(${held}).arm({ limitMs: 60_000, shut: true });
      process.stdout.write('armed');
      setInterval(() => {}, 1_000);`;
    const owner = spawn(process.execPath, ['--input-type=module', '-e', script]);
    children.push(owner);
    await once(owner.stdout, 'data');
    await passed(100);
    expect([pooler.waits(), door.waits()]).toEqual([true, true]);
    owner.kill('SIGKILL');
    await Promise.race([Promise.all([pooler.goneOn, door.goneOn]), passed(SOON_MS)]);
    expect([pooler.waits(), door.waits()]).toEqual([false, false]);
  });

  it('does nothing when it is disarmed, or was never armed', async () => {
    const pooler = await someone('pooler');
    const held = { poolers: [pooler.file], door: join(dir, 'door') };
    const ready = new DeadMansSwitch(held);
    expect(ready.isFor(held)).toBe(true);
    expect(ready.isFor({ ...held, poolers: [] })).toBe(false);
    ready.arm({ limitMs: 300, shut: false });
    ready.disarm();
    new DeadMansSwitch(held).disarm();
    expect(ready.isFor(held)).toBe(false);
    await passed(500);
    expect(pooler.waits()).toBe(true);
  });
});
