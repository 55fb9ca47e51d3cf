/** A full volume, and one that hangs: an isolated member's own one, never the machine's file system. */
import { open, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { PgherdError } from '../../../lib/errors.ts';
import { run } from '../../../lib/exec.ts';
import { FILLER, mountsBelow } from '../volumes.ts';
import type { FaultContext, FaultOf, Injector } from './injector.ts';
import { memberObstacle } from './members.ts';

const FILL_MS = 30_000;
/** Less than the smallest piece cannot be had any more. */
const SMALLEST = 4096;

const FREEZE_MS = 10_000;

async function volumeObstacle(member: string, context: FaultContext): Promise<string | undefined> {
  const { record, paths } = context;
  if (!record.isolated) {
    return `the members of ${record.name} lie on this machine's own file system: this fault needs a cluster made with \`pgherd up --isolate\``;
  }
  if (record.volumeBytes === 0) {
    return `the members of ${record.name} have no volumes of their own, because this machine mounts no images: make the cluster on one that does`;
  }
  const unknown = await memberObstacle(member, context);
  if (unknown !== undefined) return unknown;
  const mounted = (await mountsBelow(paths.data)).includes(join(paths.data, member));
  return mounted ? undefined : `the volume of ${member} is not mounted: \`pgherd up\` mounts it`;
}

export const fillVolume: Injector<FaultOf<'fill-volume'>> = {
  obstacle: ({ member }, context) => volumeObstacle(member, context),

  async prepare({ member }, context) {
    const path = join(context.paths.data, member, FILLER);
    return {
      description: `the volume of ${member} is filled to the last block by ${path}`,
      weaker: undefined,
      undo: [{ kind: 'remove-file', path }],
      act: (done, signal) => fill(member, path, context, done, signal),
    };
  },
};

/** As a disk or a share that does not answer any more: whoever writes waits in the kernel, where no signal reaches. */
export const freezeVolume: Injector<FaultOf<'freeze-volume'>> = {
  obstacle: ({ member }, context) => volumeObstacle(member, context),

  async prepare({ member }, { paths }) {
    const path = join(paths.data, member);
    return {
      description: `no write to the volume of ${member} ends (fsfreeze --freeze ${path})`,
      weaker: undefined,
      undo: [{ kind: 'thaw-volume', path }],
      act: async (done, signal) => {
        await refuseHostVolume(path, paths.data);
        await run(['fsfreeze', '--freeze', path], { signal, timeoutMs: FREEZE_MS });
        done();
      },
    };
  },
};

/** What is not frozen, or not mounted any more, is fine. */
export async function thawVolume(path: string, parent: string, signal: AbortSignal): Promise<boolean> {
  if (!(await mountsBelow(parent)).includes(path)) return false;
  const argv = ['fsfreeze', '--unfreeze', path] as const;
  const { code } = await run(argv, { signal, timeoutMs: FREEZE_MS, okCodes: [0, 1] });
  return code === 0;
}

/** Takes whatever is left, in ever smaller pieces: the server writes at the same time. */
async function fill(
  member: string,
  path: string,
  { paths }: FaultContext,
  done: () => void,
  signal: AbortSignal,
): Promise<void> {
  const volume = join(paths.data, member);
  await refuseHostVolume(volume, paths.data);
  await (await open(path, 'w', 0o600)).close();
  // It has to lie where we have looked, whatever happened in between.
  await refuseHostVolume(path, paths.data);
  let size = 0;
  for (let piece = Infinity; piece >= SMALLEST; ) {
    const { bavail, bsize } = await statfs(volume);
    piece = Math.min(piece, bavail * bsize);
    if (piece < SMALLEST) break;
    const argv = ['fallocate', '--offset', String(size), '--length', String(piece), path] as const;
    const { code } = await run(argv, { signal, timeoutMs: FILL_MS, okCodes: [0, 1] });
    if (code === 0) {
      size += piece;
      done();
    } else piece = Math.floor(piece / 2 / SMALLEST) * SMALLEST;
  }
}

async function refuseHostVolume(path: string, parent: string): Promise<void> {
  const [own, around] = await Promise.all([stat(path), stat(parent)]);
  if (own.dev !== around.dev) return;
  throw new PgherdError({
    code: 'volume-not-mounted',
    message: `${path} lies on this machine's own file system, which is left alone`,
    hint: '`pgherd up` mounts the volume',
  });
}
