/** What lies beside a cluster in the list of its backups: restores that wait, and data that were set aside. */
import type { BackupObservation } from '../../core/schedule/facts.ts';
import type { Session } from '../session.ts';
import { type Cell, table } from '../text/table.ts';
import { formatAge } from '../text/units.ts';
import type { BackupsOutcome } from './handler.ts';
import type { BackupsDocument } from './schema.ts';

export function besideDocument({
  restores,
  aside = [],
}: BackupObservation): Pick<BackupsDocument, 'waiting' | 'cutover' | 'aside'> {
  return {
    waiting: (restores?.waiting ?? []).map(({ lastCommitAt, ...restore }) => ({
      ...restore,
      lastCommitAt: lastCommitAt ?? null,
    })),
    cutover: restores?.cutover ?? null,
    aside: aside.map(({ path, why, keepUntil }) => ({
      path,
      why: why ?? null,
      keepUntil: keepUntil ?? null,
    })),
  };
}

/** Sections with their titles; none where nothing lies there. */
export function besideLines({ ref, observed }: BackupsOutcome, session: Session): string[] {
  const { look } = session;
  const now = session.now();
  const lines: string[] = [];
  const waiting = observed.restores?.waiting ?? [];
  if (waiting.length > 0) {
    lines.push('', look.strong('Restores that wait for a decision'));
    const rows = waiting.map(({ id, target, lastCommitAt, createdAt }): Cell[] => [
      id,
      `to ${target}`,
      lastCommitAt === undefined ? '' : `last commit ${lastCommitAt}`,
      `made ${formatAge(createdAt, now)} ago`,
    ]);
    lines.push(...table(rows));
    for (const { id } of waiting) {
      lines.push(`  ${session.command(['restore', ref.name, '--cutover', id], ref)}   (or --discard ${id})`);
    }
  }
  const aside = observed.aside ?? [];
  if (aside.length > 0) {
    lines.push('', look.strong('Set aside'));
    const rows = aside.map(({ path, why, keepUntil }): Cell[] => [
      keepUntil === undefined ? 'until you delete it' : `until ${keepUntil.slice(0, 16).replace('T', ' ')}Z`,
      why ?? '',
      { text: path, paint: look.faint },
    ]);
    lines.push(...table(rows));
  }
  return lines;
}
