import type { BackupKeyDocument } from '../backups/schema.ts';
import { head } from '../documents.ts';
import type { BackupKeyOutcome } from './handler.ts';

/** The key as JSON. */
export function backupKeyToDocument({ ref, facts, key, file }: BackupKeyOutcome): BackupKeyDocument {
  return {
    ...head(ref),
    fingerprint: facts.fingerprint,
    savedAt: facts.savedAt ?? null,
    file: file ?? null,
    key: file === undefined ? key : null,
  };
}

/** The key alone, so that it can be piped; or where it is. */
export function backupKeyText({ key, file, facts }: BackupKeyOutcome): string {
  return file === undefined
    ? key
    : `the key (${facts.fingerprint}) is in ${file}: keep it apart from the backups`;
}
