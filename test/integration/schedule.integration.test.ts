/** Physical backups as the control plane takes them: the first one, its proof, and a copy that was lost. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { BackupsDocument } from '../../src/cli/backups/schema.ts';
import type { ChoresDocument, EventsDocument } from '../../src/cli/schema.ts';
import { keeperOf } from '../faults/support/servers.ts';
import { Cluster } from '../support/cluster.ts';
import { manifest } from '../support/manifest.ts';
import { kill } from '../support/processes.ts';
import { integration } from '../support/sandbox.ts';

const NAME = 'plan';

integration('scheduled physical backups', sandbox => {
  const cluster = new Cluster(sandbox, NAME);
  const chores = async () =>
    (await sandbox.json<ChoresDocument>(['chores', NAME], { exitCodes: [0, 1] })).chores;
  const listed = async () =>
    (await sandbox.json<BackupsDocument>(['backups', NAME], { exitCodes: [0, 2] })).backups;

  it('a new cluster gets a full one, which is proven', async () => {
    await cluster.up(sandbox.file('plan.yaml', manifest({ name: NAME })));
    // It would do what is due before the test does.
    kill(await keeperOf(cluster), 'SIGSTOP');
    expect(await chores()).toMatchObject([
      { kind: 'backup', reason: 'it holds no backup', failure: null },
      { kind: 'verify', reason: 'it has not been proven yet', failure: null },
    ]);
    expect(await listed()).toMatchObject([{ type: 'full', repository: `members/${NAME}-0` }]);
  });

  it('then nothing is due', async () => {
    expect(await chores()).toEqual([]);
  });

  it('a copy that was lost is made again', async () => {
    rmSync(join(cluster.root, 'backups', `${NAME}-0`), { recursive: true });
    expect(await listed()).toEqual([]);
    expect(await chores()).toMatchObject([
      { kind: 'backup', reason: 'it holds no backup', failure: null },
      { kind: 'verify', failure: null },
    ]);
    expect(await listed()).toMatchObject([{ type: 'full' }]);
    const { events } = await sandbox.json<EventsDocument>(['events', NAME]);
    expect(events.filter(({ event }) => event === 'backup-taken')).toMatchObject([
      { actor: 'keeper' },
      { actor: 'keeper' },
    ]);
  });
});
