/** Drills on backups: repositories that fail or are damaged, restores, clones. Nothing of them stays broken. */
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import type { BackupsDocument } from '../../src/cli/backups/schema.ts';
import type { DrillDocument, DrillListDocument } from '../../src/cli/drill/schema.ts';
import type { VerifyDocument } from '../../src/cli/verify/schema.ts';
import { keeperOf } from '../faults/support/servers.ts';
import { Cluster } from '../support/cluster.ts';
import { manifest } from '../support/manifest.ts';
import { kill } from '../support/processes.ts';
import { integration } from '../support/sandbox.ts';

const NAME = 'probe';
/** A drill's own cap, and some for its beginning: a clone is a cluster more on the tests' machine. */
const DRILL_MS = 360_000;

integration('drills on backups', sandbox => {
  const cluster = new Cluster(sandbox, NAME);
  const nas = join(sandbox.root, 'nas');
  const repository = join(nas, 'default', NAME);

  beforeAll(async () => {
    mkdirSync(nas, { mode: 0o777 });
    const repositories = [
      { name: 'nas', directory: { path: nas } },
      { name: 'copies', members: {} },
    ];
    const spec = { enableConnectionPooler: true, backup: { repositories } };
    await cluster.up(sandbox.file(`${NAME}.yaml`, manifest({ name: NAME, instances: 2, spec })));
    // It would take backups and proofs of its own in between.
    kill(await keeperOf(cluster), 'SIGSTOP');
  });

  async function drill(fault: string) {
    const words = ['drill', NAME, fault, '--yes-break', NAME];
    const document = await sandbox.json<DrillDocument>(words, { exitCodes: [0, 1], timeoutMs: DRILL_MS });
    const [run] = document.drills[0]?.runs ?? [];
    if (run === undefined) throw new Error(`no run: ${JSON.stringify(document)}`);
    return run;
  }

  /** Modes and sizes of everything in the repository's older part, which a drill must leave as it was. */
  function inventory(below: string): string[] {
    return readdirSync(join(repository, below), { recursive: true, encoding: 'utf8' })
      .filter(name => /F(\/|$)/.test(name) || /archive$/.test(name))
      .map(name => {
        const { mode, size } = statSync(join(repository, below, name));
        return `${name} ${mode.toString(8)} ${/\./.test(name) ? '' : size}`;
      })
      .sort();
  }

  it('need a backup, and say so', async () => {
    const { drills } = await sandbox.json<DrillListDocument>(['drill', '--list', NAME]);
    const obstacles = Object.fromEntries(drills.map(({ id, obstacle }) => [id, obstacle]));
    expect(obstacles).toMatchObject({ I4: expect.stringContaining('pgherd backup'), A1: null });
    await sandbox.json(['backup', NAME], { timeoutMs: 300_000 });
  });

  it.each([
    ['J7', [/DROP TABLE/], [/queryable [\d.]+ s after the drop/, /10000 rows were back/]],
    [
      'I1',
      [/nobody may write into the archive/],
      [/noticed after .*failing/, /copies\/probe-1 got it/, /without a gap/],
    ],
    ['I2', [/nobody may enter/], [/noticed after/, /got it meanwhile/, /without a gap/]],
    ['I3', [/without a free block/], [/noticed after .*[Nn]o space/, /got it meanwhile/, /without a gap/]],
    [
      'I4',
      [/a byte of .* was flipped/, /was deleted/],
      [/found after .*checksum/, /restored from copies/, /found after .*missing/, /was proven/],
    ],
    ['I5', [/SIGKILL to pgherd backup/, /two incremental backups/], [/one was refused/, /was proven/]],
    ['I6', [/an hour before/], [/an hour from now: /, /never written: .*now/, /not there: /]],
    ['I7', [/--as probe-drill/], [/in repositories of its own/]],
  ])(
    '%s: the promise is kept, and the repository is as it was',
    async (fault, injections, notes) => {
      const before = inventory('backup');
      const run = await drill(fault);
      expect(run.broken).toEqual([]);
      for (const injection of injections) expect(run.injections.join('\n')).toMatch(injection);
      for (const note of notes) expect(run.notes.join('\n')).toMatch(note);
      expect(inventory('backup')).toEqual(expect.arrayContaining(before));
      const faults = join(cluster.root, 'faults');
      const left = existsSync(faults) ? readdirSync(faults).filter(name => !name.startsWith('lock')) : [];
      expect(left).toEqual([]);
      expect(readdirSync(join(cluster.root, 'scratch'))).toEqual([]);
    },
    DRILL_MS,
  );

  it('leave every backup provable, and the archive well', async () => {
    const { proven } = await sandbox.json<VerifyDocument>(['verify', NAME, '--repo', 'nas']);
    expect(proven).toBe(true);
    const { troubles } = await sandbox.json<BackupsDocument>(['backups', NAME]);
    expect(troubles).toEqual([]);
  });

  it('undo their fault when they are killed', async () => {
    const running = sandbox.start(['drill', NAME, 'I2', '--yes-break', NAME]);
    await expect.poll(() => statSync(repository).mode & 0o777, { timeout: 60_000, interval: 20 }).toBe(0);
    running.child.kill('SIGKILL');
    await running.finished;
    await sandbox.json(['drill', 'clean', NAME]);
    expect(statSync(repository).mode & 0o777).not.toBe(0);
    await cluster.whole(2);
  });
});
