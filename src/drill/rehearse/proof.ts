/** Damage in a repository: that a proof finds it, and that another repository stands in. */
import { restoreBeside } from '../../backup/restore.ts';
import { verifyBackups } from '../../backup/verify.ts';
import { PROOFS, parseProofs } from '../../core/schedule/proof.ts';
import { type RehearsalStage, type Rehearsed, secondsSince } from './stage.ts';

const LOCK_MS = 120_000;
const DISCARD_MS = 120_000;

export async function findDamage(stage: RehearsalStage): Promise<Rehearsed> {
  const { cluster, repository, context } = stage;
  await using _lock = await cluster.backups.lock('drill', { waitMs: LOCK_MS, signal: context.signal });
  // The damage is ours: what was known of the backup before goes on to be known.
  const known = parseProofs(await cluster.backups.memory.read(PROOFS));
  const begun = performance.now();
  const [proof] = await verifyBackups(cluster, { repository, backup: undefined }, context).finally(
    async () => await cluster.backups.memory.write(PROOFS, { proofs: known }),
  );
  if (proof?.outcome !== 'damaged') {
    return {
      notes: [],
      broken: [`the damage in ${repository} was not found: ${proof?.backup} passed its proof`],
    };
  }
  const notes = [`found after ${secondsSince(begun)}: ${proof.problems[0]}`];
  const { repositories } = await cluster.backups.observe({ archive: false }, context.signal);
  const others = repositories.filter(({ name, backups }) => name !== repository && backups.length > 0);
  if (others.length === 0) {
    return { notes: [...notes, 'no other repository holds a backup: nothing could stand in'], broken: [] };
  }
  const again = performance.now();
  const wish = { target: undefined, backup: undefined, from: undefined, purpose: 'verify' as const };
  const { scratch, damage } = await restoreBeside(cluster, wish, context);
  await cluster.restores.discard(scratch.id, AbortSignal.timeout(DISCARD_MS));
  const tried =
    damage.length === 0 ? '' : `, after ${damage.map(({ repository: name }) => name).join(', ')} failed`;
  const sentence = `restored from ${scratch.repository} in ${secondsSince(again)}${tried}`;
  return scratch.repository === repository
    ? { notes, broken: [`the damaged backup of ${repository} was restored as if it were whole`] }
    : { notes: [...notes, sentence], broken: [] };
}

/** The newest backup restores, and all of its WAL is there. */
export async function prove({ cluster, repository, context }: RehearsalStage): Promise<Rehearsed> {
  await using _lock = await cluster.backups.lock('drill', { waitMs: LOCK_MS, signal: context.signal });
  const begun = performance.now();
  const [proof] = await verifyBackups(cluster, { repository, backup: undefined }, context);
  return proof?.outcome === 'proven'
    ? { notes: [`${proof.backup} in ${repository} was proven in ${secondsSince(begun)}`], broken: [] }
    : { notes: [], broken: [`${proof?.backup} in ${repository} is damaged: ${proof?.problems.join('; ')}`] };
}
