/** The directory of a scratch, made where there is room for it. */
import { chown, mkdir, statfs } from 'node:fs/promises';
import { RefusedError } from '../../../../lib/errors.ts';
import { ensureDirectory } from '../../../../lib/files.ts';
import type { Paths } from '../../layout.ts';
import type { ClusterRecord } from '../../record.ts';
import { type ScratchPaths, scratchesRoot } from './record.ts';

/** What a restore needs beside the data: WAL to replay, and room to breathe. */
const SPARE_BYTES = 256 * 1024 * 1024;

/** Rejects with a RefusedError where the volume has no room for that much data. */
export async function makeRoom(
  places: ScratchPaths,
  { paths, record }: { paths: Paths; record: ClusterRecord },
  bytes: number,
): Promise<void> {
  const owner = process.getuid?.() === 0 ? record.serviceUser : undefined;
  await ensureDirectory(scratchesRoot(paths), { mode: 0o711 });
  const { bavail, bsize } = await statfs(scratchesRoot(paths));
  if (bavail * bsize < bytes + SPARE_BYTES) {
    const mib = (size: number) => `${Math.ceil(size / 1024 / 1024)} MiB`;
    throw new RefusedError({
      code: 'no-room',
      message: `a restore needs ${mib(bytes + SPARE_BYTES)} beside the cluster, and ${mib(bavail * bsize)} are free`,
      detail: scratchesRoot(paths),
      hint: 'make room; nothing was touched',
    });
  }
  await mkdir(places.root, { mode: 0o700 });
  for (const directory of [places.data, places.tablespaces])
    await ensureDirectory(directory, { mode: 0o700, owner });
  if (owner !== undefined) await chown(places.root, owner.uid, owner.gid);
}
