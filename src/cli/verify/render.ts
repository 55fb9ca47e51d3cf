import { head, toSeconds } from '../documents.ts';
import type { Session } from '../session.ts';
import { count, formatDuration } from '../text/units.ts';
import type { VerifyOutcome } from './handler.ts';
import type { VerifyDocument } from './schema.ts';

/** The proofs as JSON. */
export function verifyToDocument({ ref, proofs, durationMs }: VerifyOutcome): VerifyDocument {
  return {
    ...head(ref),
    proven: proofs.every(({ outcome }) => outcome === 'proven'),
    proofs: proofs.map(({ repository, backup, outcome, problems, durationMs: own, ...facts }) => ({
      repository,
      backup,
      outcome,
      problems,
      lsn: facts.lsn ?? null,
      lastCommitAt: facts.lastCommitAt ?? null,
      ledgerRows: facts.ledgerRows ?? null,
      seconds: toSeconds(own),
    })),
    seconds: toSeconds(durationMs),
  };
}

/** The proofs for people. */
export function verifyText({ proofs }: VerifyOutcome, { look }: Session): string {
  return proofs
    .flatMap(({ repository, backup, outcome, problems, durationMs, lsn, lastCommitAt, ledgerRows }) => {
      const took = formatDuration(durationMs);
      const name = `${look.strong(repository)}  ${backup}`;
      if (outcome === 'damaged') {
        return [
          `${name}  ${look.bad('damaged')} (${took})`,
          ...problems.map(problem => look.bad(`  ${problem}`)),
        ];
      }
      const ledger = ledgerRows === undefined ? '' : `, ledger of ${count(ledgerRows, 'row')} whole`;
      const last = lastCommitAt === undefined ? '' : `, last commit ${lastCommitAt}`;
      return [`${name}  ${look.good('proven')} in ${took}`, `  replayed to ${lsn ?? '-'}${last}${ledger}`];
    })
    .join('\n');
}
