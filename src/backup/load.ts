/** Databases out of logical backups. */
import type { StoredDump } from '../core/schedule/dump.ts';
import { PgherdError, RefusedError } from '../lib/errors.ts';
import type { ApplyContext, PlatformCluster } from '../platform/contract.ts';

export interface LoadedDump {
  dump: StoredDump;
  databases: { name: string; into: string; tables: number }[];
}

/**
 * Loads databases of a dump into the cluster, each all or nothing, after its files were read and their checksums held
 * to. `id` undefined: the newest. The caller holds the lock of backups.
 */
export async function loadFromDump(
  cluster: PlatformCluster,
  wish: { id: string | undefined; databases: readonly string[]; into: string | undefined },
  context: ApplyContext,
): Promise<LoadedDump> {
  const { dumps, problem, directory } = await cluster.dumps.observe(context.signal);
  const dump = wish.id === undefined ? dumps.at(-1) : dumps.find(({ id }) => id === wish.id);
  if (dump === undefined) {
    throw new RefusedError({
      code: 'no-such-dump',
      message: wish.id === undefined ? `there is no dump in ${directory}` : `there is no dump "${wish.id}"`,
      detail: problem,
      hint:
        dumps.length === 0
          ? 'take one: pgherd backup NAME --logical'
          : `dumps: ${dumps.map(({ id }) => id).join(', ')}`,
    });
  }
  const held = dump.contents.files.flatMap(({ database }) => database ?? []);
  const chosen = wish.databases.length > 0 ? wish.databases : held.filter(name => name !== 'postgres');
  if (wish.into !== undefined && chosen.length !== 1) {
    throw new RefusedError({
      code: 'which-database',
      message: `--into takes one database, and ${chosen.length} are meant`,
      hint: `name it with --database: ${held.join(', ')}`,
    });
  }
  context.progress(`reading ${dump.id}`);
  const damage = await cluster.dumps.check(dump.id, context);
  if (damage.length > 0) {
    throw new PgherdError({
      code: 'dump-damaged',
      message: `the dump ${dump.id} is damaged: nothing was touched`,
      detail: damage.join('\n'),
      hint: 'name another one with --dump',
    });
  }
  const databases: LoadedDump['databases'] = [];
  for (const name of chosen) {
    const into = wish.into ?? name;
    const { tables } = await cluster.restores.loadDump(dump, { database: name, into }, context);
    databases.push({ name, into, tables });
    await cluster.journal.append({
      actor: 'restore',
      event: 'dump-loaded',
      subject: into,
      message: `loaded ${name} of the dump ${dump.id}`,
      reason: undefined,
    });
  }
  return { dump, databases };
}
