import type { Restored } from '../../backup/restore.ts';
import { targetText } from '../../core/schedule/target.ts';
import type { ScratchRecord } from '../../platform/contract.ts';
import { head, toSeconds } from '../documents.ts';
import type { Session } from '../session.ts';
import { count, formatBytes, formatDuration } from '../text/units.ts';
import type { RestoreOutcome } from './outcome.ts';
import type { RestoreDocument } from './schema.ts';

/** The outcome as JSON. */
export function restoreToDocument(outcome: RestoreOutcome): RestoreDocument {
  const restored = 'restored' in outcome ? outcome.restored : undefined;
  return {
    ...head(outcome.ref),
    action: outcome.action,
    restore: restored === undefined ? null : scratchDocument(restored.scratch),
    databases: restored?.databases ?? [],
    ledgers: (restored?.ledgers ?? []).map(({ lastWrittenAt, ...facts }) => ({
      ...facts,
      lastWrittenAt: lastWrittenAt ?? null,
    })),
    damage: restored?.damage ?? [],
    cutover:
      outcome.action === 'cutover'
        ? {
            primary: outcome.result.primary,
            aside: outcome.result.aside,
            keepUntil: outcome.result.keepUntil,
            seconds: toSeconds(outcome.result.durationMs),
          }
        : null,
    tables: outcome.action === 'tables' ? outcome.tables : [],
    loaded:
      outcome.action === 'loaded'
        ? { dump: outcome.loaded.dump.id, databases: outcome.loaded.databases }
        : null,
    waiting: outcome.action === 'listed' ? outcome.waiting.map(scratchDocument) : [],
    seconds: toSeconds(outcome.durationMs),
  };
}

function scratchDocument(scratch: ScratchRecord): NonNullable<RestoreDocument['restore']> {
  const {
    id,
    createdAt,
    directory,
    socketDirectory,
    repository,
    backup,
    target,
    reached,
    restoredMs,
    replayedMs,
  } = scratch;
  return {
    id,
    createdAt,
    directory,
    socketDirectory,
    repository,
    backup,
    target: target === undefined ? 'latest' : targetText(target),
    lastCommitAt: reached?.lastCommitAt ?? null,
    lsn: reached?.lsn ?? null,
    timeline: reached?.timeline ?? null,
    endOfArchive: reached?.endOfArchive ?? false,
    copySeconds: toSeconds(restoredMs),
    replaySeconds: toSeconds(replayedMs),
  };
}

/** The outcome for people. */
export function restoreText(outcome: RestoreOutcome, session: Session): string {
  const { look } = session;
  const { ref } = outcome;
  const took = formatDuration(outcome.durationMs);
  switch (outcome.action) {
    case 'restored':
      return [
        ...reachedText(outcome.restored, session, took),
        ...nextText(outcome.restored, session, ref),
      ].join('\n');
    case 'cutover': {
      const { result } = outcome;
      const without = formatDuration(result.durationMs);
      return [
        `${look.strong(ref.name)} runs on the restored data: ${targetText(result.scratch.target)}`,
        `  new primary ${result.primary} after ${without}; ${result.othersFollow ? 'the other members are built from it now' : `whole again after ${took}`}`,
        ...(result.aside.length === 0
          ? []
          : [`  the old data are kept until ${result.keepUntil.slice(0, 16)}Z:`]),
        ...result.aside.map(path => `    ${path}`),
      ].join('\n');
    }
    case 'founded': {
      const origin = outcome.from === undefined ? 'its backups' : outcome.from.name;
      return [
        `${look.strong(ref.name)} was founded on the data of ${origin}`,
        ...reachedText(outcome.restored, session, took).slice(1),
        '',
        `  look:  ${session.command(['status', ref.name], ref)}`,
      ].join('\n');
    }
    case 'tables':
      return [
        ...outcome.tables.map(
          ({ database, schema, table, into, rows }) =>
            `${look.strong(`${database}.${into}.${table}`)}: ${count(rows, 'row')}${into === schema ? '' : `, beside ${schema}.${table}`}`,
        ),
        ...reachedText(outcome.restored, session, took).slice(1),
      ].join('\n');
    case 'loaded':
      return [
        ...outcome.loaded.databases.map(
          ({ name, into, tables }) =>
            `${look.strong(into)}: ${count(tables, 'table')}${into === name ? '' : ` of ${name}`}`,
        ),
        `  of the dump ${outcome.loaded.dump.id} (${took})`,
      ].join('\n');
    case 'listed':
      return outcome.waiting.length === 0
        ? 'no restore waits for its cutover'
        : outcome.waiting
            .map(
              ({ id, target, reached, createdAt }) =>
                `${look.strong(id)}  ${targetText(target)}, last commit ${reached?.lastCommitAt ?? '-'}, made ${createdAt.slice(0, 19)}Z`,
            )
            .join('\n');
    case 'discarded':
      return `the restore ${outcome.id} is gone`;
  }
}

function reachedText(
  { scratch, databases, ledgers, damage }: Restored,
  { look }: Session,
  took: string,
): string[] {
  const { reached, target } = scratch;
  const last = reached.lastCommitAt ?? 'none since the backup';
  return [
    `restored ${look.strong(targetText(target))} beside the cluster in ${took}`,
    `  last commit   ${last}${reached.endOfArchive ? '  (nothing later was archived)' : ''}`,
    `  position      ${reached.lsn}, timeline ${reached.timeline} begins here${reached.reason === '' ? '' : ` (${reached.reason})`}`,
    `  from          backup ${scratch.backup} in ${scratch.repository}`,
    `  databases     ${databases.map(({ name, bytes }) => `${name} ${formatBytes(bytes)}`).join(', ')}`,
    ...ledgers.map(
      ({ database, rows, lastWrittenAt, broken }) =>
        `  ledger        ${count(rows, 'row')} in ${database}, the last of ${lastWrittenAt ?? '-'}: ${broken === 0 ? 'chain whole' : look.bad(`broken at ${count(broken, 'row')}`)}`,
    ),
    `  copy ${formatDuration(scratch.restoredMs)}, replay ${formatDuration(scratch.replayedMs)}`,
    ...damage.map(({ repository, backup, problem }) =>
      look.bad(`  damaged: backup ${backup} in ${repository}: ${problem}`),
    ),
  ];
}

function nextText(
  { scratch }: Restored,
  session: Session,
  ref: { name: string; namespace: string },
): string[] {
  const { socketDirectory, port, user, prefix } = scratch.connection;
  const way = prefix === undefined ? '' : `${prefix.join(' ')} `;
  return [
    '',
    `  look:     ${way}psql -h ${socketDirectory} -p ${port} -U ${user} postgres   (takes no write)`,
    `  put it in place:  ${session.command(['restore', ref.name, '--cutover', scratch.id], ref)}`,
    `  throw it away:    ${session.command(['restore', ref.name, '--discard', scratch.id], ref)}`,
  ];
}
