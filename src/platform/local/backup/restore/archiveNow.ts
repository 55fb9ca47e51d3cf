import { archiveUpToNow } from '../../../../engine/postgres/archiveNow.ts';
import type { LocalBackupInput } from '../input.ts';

/** As `archiveUpToNow`; false also where nobody can. */
export async function archiveNow(input: LocalBackupInput, signal: AbortSignal): Promise<boolean> {
  const primary = await input.primary(signal).catch(() => undefined);
  signal.throwIfAborted();
  if (primary === undefined) return false;
  try {
    await using session = await input.connect(primary.name, signal);
    return await archiveUpToNow(session, signal);
  } catch {
    signal.throwIfAborted();
    return false;
  }
}
