/** Volumes that are deleted, or are to grow. One cluster of two members lives through it, so the tests depend on their order. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/poll.ts';
import { Bench, obstacle } from './support.ts';

const NAME = 'volumes';
const MINUTES = 60_000;
const signal = () => AbortSignal.timeout(MINUTES);

describe.skipIf(obstacle !== undefined)('volumes on Kubernetes', () => {
  let bench: Bench;

  beforeAll(async () => {
    bench = await Bench.open();
    await bench.operator();
    await bench.createSmall(NAME);
    await bench.settled(NAME, 3 * MINUTES);
    await sql('CREATE TABLE t AS SELECT 1;');
  }, 5 * MINUTES);

  afterAll(async () => {
    await bench[Symbol.asyncDispose]();
  });

  const sql = async (text: string) =>
    bench.sqlThroughService(NAME, await bench.primary(NAME), 'bauer', 'firmendaten', text);

  test('a member whose pod and volume were deleted comes back by itself, also the primary', {
    timeout: 5 * MINUTES,
  }, async () => {
    for (const role of ['standby', 'primary']) {
      const before = await bench.uids(NAME);
      const first = await bench.primary(NAME);
      const lost = role === 'primary' ? first : ([...before.keys()].find(name => name !== first) ?? '');
      const at = { namespace: bench.namespace };
      const volume = (await bench.get('PersistentVolumeClaim', `pgdata-${lost}`))?.metadata.uid;
      await bench.client.remove(
        { kind: 'PersistentVolumeClaim', ...at, name: `pgdata-${lost}` },
        {},
        signal(),
      );
      if (role === 'standby') await bench.client.remove({ kind: 'Pod', ...at, name: lost }, {}, signal());
      await eventually('a new pod with a new volume', 2 * MINUTES, async () => {
        const claim = await bench.get('PersistentVolumeClaim', `pgdata-${lost}`);
        return (
          (await bench.uids(NAME)).get(lost) !== before.get(lost) &&
          claim !== undefined &&
          claim.metadata.uid !== volume
        );
      });
      await bench.settled(NAME, 2 * MINUTES);
      expect((await bench.members(NAME)).filter(({ ready }) => ready).length).toBe(2);
      expect(await sql('SELECT count(*) FROM t;')).toBe('1');
    }
  });

  test('a larger volume is asked for without a restart, and said until it is there', {
    timeout: 3 * MINUTES,
  }, async () => {
    const before = await bench.uids(NAME);
    await bench.edit(NAME, { volume: { size: '2Gi' } });
    const said = await eventually('the condition', MINUTES, async () => {
      const [progressing, stalled] = [
        await bench.condition(NAME, 'Progressing'),
        await bench.condition(NAME, 'Stalled'),
      ];
      if (stalled?.reason === 'VolumeNotExpandable') return stalled;
      return progressing?.message.includes('asked to grow') ? progressing : undefined;
    });
    if (said.reason === 'VolumeNotExpandable') {
      // So it is with K3s' own class.
      await bench.edit(NAME, { volume: { size: '1Gi' } });
    } else {
      for (const name of before.keys()) {
        const ref = {
          kind: 'PersistentVolumeClaim',
          namespace: bench.namespace,
          name: `pgdata-${name}`,
        } as const;
        const claim = await bench.client.get(ref, signal());
        expect(claim?.spec).toMatchObject({ resources: { requests: { storage: '2Gi' } } });
        // What a driver would do: local directories do not grow, nor need they.
        await bench.client.merge(ref, { status: { capacity: { storage: '2Gi' } } }, signal(), 'status');
      }
      const set = (await bench.get('StatefulSet', NAME))?.spec as {
        volumeClaimTemplates: { spec: { resources: { requests: { storage: string } } } }[];
      };
      expect(set.volumeClaimTemplates[0]?.spec.resources.requests.storage).toBe('2Gi');
    }
    await bench.settled(NAME, MINUTES);
    expect(await bench.uids(NAME)).toEqual(before);
  });
});
