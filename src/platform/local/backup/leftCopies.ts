/** Copies of members that the manifest does not ask for any more. */
import { mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import type { Paths } from '../layout.ts';
import { noteAside } from './aside.ts';
import { backupPaths } from './paths.ts';

/** As long as a cutover keeps what was there before. */
const KEPT_MS = 7 * 86_400_000;

/**
 * Sets them aside: they get no WAL any more, and whoever makes the cluster larger again within the window can put one
 * back. A manifest that asks for no members' copies at all, or is stopped, leaves them where they are. Resolves with
 * what was done.
 */
export async function setAsideCopies(
  { name, instances, backup }: ClusterSpec,
  paths: Paths,
  now: Date,
): Promise<string[]> {
  if (instances === 0 || !backup.repositories.some(({ kind }) => kind === 'members')) return [];
  const { root } = backupPaths(paths);
  const done: string[] = [];
  for (const member of await readdir(root).catch(() => [])) {
    const ordinal = member.startsWith(`${name}-`) ? member.slice(name.length + 1) : '';
    if (!/^\d+$/.test(ordinal) || Number(ordinal) < instances) continue;
    const stamp = `copy-${member}-${now.getTime()}`;
    const target = join(paths.aside, `backups-${member}-${now.getTime()}`);
    const keepUntil = new Date(now.getTime() + KEPT_MS).toISOString();
    await mkdir(paths.aside, { recursive: true });
    await noteAside(paths, stamp, { keepUntil, why: `the copy of ${member}, which was removed` }, [target]);
    await rename(join(root, member), target);
    done.push(`set the copy of ${member} aside until ${keepUntil.slice(0, 10)}: ${target}`);
  }
  return done;
}
