/** Clusters that begin with a restore: clones, and what was lost with its machine. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { found, refuseExisting } from '../../backup/cutover.ts';
import { restoreBeside } from '../../backup/restore.ts';
import { parseManifest } from '../../core/manifest/parse.ts';
import { renameManifest } from '../../core/manifest/rename.ts';
import type { Wish } from '../../core/schedule/choice.ts';
import { RefusedError } from '../../lib/errors.ts';
import type { PlatformCluster } from '../../platform/contract.ts';
import { readManifest } from '../manifest.ts';
import { ManifestInvalidError } from '../manifestError.ts';
import type { Session } from '../session.ts';
import type { RestoreFlags } from './command.ts';
import type { RestoreOutcome } from './outcome.ts';
import { lockBackups, progress, wishOf } from './parts.ts';
import { settle } from './settle.ts';

type Founded = Omit<Extract<RestoreOutcome, { action: 'founded' }>, 'durationMs'>;

const PLACEMENT = { listen: undefined, port: undefined, strictVersion: false };
const DISCARD_MS = 120_000;

/** A new cluster with the data of another one at a moment. Its backups have a place of their own by its name. */
export async function cloneCluster(
  session: Session,
  source: PlatformCluster,
  name: string,
  wish: Wish,
): Promise<Founded> {
  const text = renameManifest((await source.appliedManifest()) ?? '', name);
  const parsed = parseManifest(text, { platform: 'local' });
  if (!parsed.ok)
    throw new ManifestInvalidError(`the manifest of ${name}`, text, parsed.errors, parsed.warnings);
  const platform = await session.platform();
  const clone = session.scope.use(await platform.adopt(parsed.spec, text, PLACEMENT, session.signal));
  await refuseExisting(clone);
  await using _lock = await lockBackups(source, session);
  const restored = await restoreBeside(source, { ...wish, purpose: 'clone' }, progress(session));
  try {
    await found(clone, restored.scratch, session.context);
  } catch (error) {
    // Once begun it is the clone's, and finished there.
    if ((await clone.restores.unfinishedSwap()) === undefined)
      await source.restores.discard(restored.scratch.id, AbortSignal.timeout(DISCARD_MS));
    throw error;
  }
  await settle(session, clone);
  return { action: 'founded', ref: clone.ref, restored, from: source.ref };
}

/** A cluster of which nothing is left but a repository and the manifest. */
export async function refound(session: Session, file: string, flags: RestoreFlags): Promise<Founded> {
  const { spec, text } = await readManifest(file, session.globals, session.surroundings);
  const platform = await session.platform();
  const placement = { ...PLACEMENT, fromBackup: true };
  const cluster = session.scope.use(await platform.adopt(spec, text, placement, session.signal));
  await refuseExisting(cluster);
  const key = await readKey(session, cluster, flags);
  await cluster.restores.prepare();
  await using _lock = await lockBackups(cluster, session);
  if (key !== undefined) await cluster.backups.importKey(key);
  await cluster.backups.provision(session.signal);
  const wish = wishOf(session, cluster, flags);
  const restored = await restoreBeside(cluster, { ...wish, purpose: 'clone' }, progress(session));
  await found(cluster, restored.scratch, session.context);
  await settle(session, cluster);
  return { action: 'founded', ref: cluster.ref, restored, from: undefined };
}

/** Refused where the backups are encrypted and nobody has their key: nothing was touched then. */
async function readKey(
  session: Session,
  cluster: PlatformCluster,
  { key }: RestoreFlags,
): Promise<string | undefined> {
  if (key !== undefined) {
    const path = resolve(session.surroundings.cwd, key);
    return await readFile(path, 'utf8').catch((cause: unknown) => {
      throw new RefusedError({
        code: 'key-unreadable',
        message: `the key cannot be read from ${path}`,
        hint: 'name the file that `pgherd backup-key --file` has written',
        cause,
      });
    });
  }
  if (!cluster.spec.backup.encryption || (await cluster.backups.readKey()) !== undefined) return undefined;
  throw new RefusedError({
    code: 'key-needed',
    message: 'the backups are encrypted, and this machine does not have their key',
    hint: 'give the file in which it was saved: --key FILE',
  });
}
