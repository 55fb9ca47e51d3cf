/** Restores that wait beside a cluster for somebody to decide, on whichever platform they lie. */
import { RefusedError } from '../../lib/errors.ts';
import type { RestoreFacts } from './facts.ts';
import { type RecoveryTarget, targetText } from './target.ts';

export interface KnownRestore {
  id: string;
  purpose: string;
  createdAt: string;
  target?: RecoveryTarget | undefined;
  /** undefined: it is not whole. */
  reached?: { lastCommitAt?: string | undefined } | undefined;
}

/** @param begun the one whose cutover was begun and not finished. */
export function restoreFacts(
  known: readonly KnownRestore[],
  begun: Pick<KnownRestore, 'id' | 'target'> | undefined,
): RestoreFacts {
  const waiting = known
    .filter(({ id, purpose, reached }) => purpose === 'restore' && reached !== undefined && id !== begun?.id)
    .sort((a, b) => a.createdAt.localeCompare(b.createdAt))
    .map(({ id, createdAt, target, reached }) => ({
      id,
      createdAt,
      target: targetText(target),
      lastCommitAt: reached?.lastCommitAt,
    }));
  return { waiting, cutover: begun && { id: begun.id, target: targetText(begun.target) } };
}

export function noSuchRestore(id: string, known: readonly KnownRestore[]): RefusedError {
  const others = known.filter(({ reached }) => reached !== undefined);
  return new RefusedError({
    code: 'no-such-restore',
    message: `there is no restore "${id}" that could be used`,
    hint:
      others.length === 0
        ? 'restore first: pgherd restore NAME --to TIME'
        : `restores: ${others.map(other => other.id).join(', ')}`,
  });
}

/** Whoever copies into the cluster, or asks it, does so on its primary. */
export function noPrimary(): RefusedError {
  return new RefusedError({
    code: 'no-primary',
    message: 'the cluster has no primary now',
    hint: 'see `pgherd status`',
  });
}
