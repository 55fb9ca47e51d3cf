import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { KeyFacts } from '../../core/schedule/facts.ts';
import { codeOf, RefusedError } from '../../lib/errors.ts';
import type { ClusterRef } from '../../platform/contract.ts';
import type { Session } from '../session.ts';
import { openCluster } from '../target.ts';

export interface BackupKeyOutcome {
  ref: ClusterRef;
  facts: KeyFacts;
  key: string;
  file: string | undefined;
}

/** Hands out the key, and notes that it is kept elsewhere now. An existing file is never overwritten. */
export async function backupKey(
  session: Session,
  name: string,
  options: { file: string | undefined },
): Promise<BackupKeyOutcome> {
  const cluster = await openCluster(session, name);
  const found = await cluster.backups.readKey();
  if (found === undefined) {
    throw new RefusedError({
      code: 'no-backup-key',
      message: `the backups of ${name} are not encrypted`,
      hint: '`spec.backup.encryption` is false, or there are no repositories',
    });
  }
  const file = options.file === undefined ? undefined : resolve(session.surroundings.cwd, options.file);
  if (file !== undefined) await write(file, `${found.key}\n`);
  await cluster.backups.noteKeySaved();
  const facts = { ...found.facts, savedAt: session.now().toISOString() };
  return { ref: cluster.ref, facts, key: found.key, file };
}

async function write(path: string, text: string): Promise<void> {
  try {
    await using file = await open(path, 'wx', 0o600);
    await file.writeFile(text);
    await file.sync();
  } catch (cause) {
    throw new RefusedError({
      code: 'key-not-written',
      message:
        codeOf(cause) === 'EEXIST'
          ? `${path} is there already`
          : `${path} cannot be written (${codeOf(cause) ?? 'unknown error'})`,
      hint: 'name a file that does not exist yet, on another machine or a stick',
      cause,
    });
  }
}
