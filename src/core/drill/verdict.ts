import type { ClusterPromise } from '../topology/promise.ts';
import type { LedgerCheck, Listed, MemberCheck } from './check.ts';
import type { DualReport } from './dual.ts';

/** What was promised for this drill on this cluster. */
export interface DrillTerms {
  /** The promise in force: see core/topology/promise.ts. */
  mode: ClusterPromise['mode'];
  /** Longest outage, in milliseconds; undefined: the scenario promises none. */
  writeOutageMs: number | undefined;
  readOutageMs: number | undefined;
  /** Clients may see errors beyond the transactions that were in flight when the fault struck. */
  errorsAllowed: boolean;
  /** The scenario may cost acknowledged writes where the mode does not forbid it: single and async. */
  lossAllowed: boolean;
  /** Bound of an allowed loss, in bytes of WAL; undefined: none is stated. */
  lossBytes: number | undefined;
  /** The cluster must be whole again this long after the fault, in milliseconds. */
  capMs: number;
}

/** What was measured. */
export interface DrillFacts {
  /** undefined: the ledger was not read. */
  check: LedgerCheck | undefined;
  /** Members whose ledger must have been read. */
  members: string[];
  dual: DualReport;
  /** Longest gaps between acknowledgements, in milliseconds; undefined: there was no such load. */
  writeOutageMs: number | undefined;
  readOutageMs: number | undefined;
  errorsBeyondInFlight: number;
  /** Milliseconds from the fault until the cluster was whole; undefined: it was not within the cap. */
  wholeAfterMs: number | undefined;
  /** What of the backups was not as promised, one sentence each. */
  rehearsed: readonly string[];
}

export interface DrillVerdict {
  /** Nothing is broken. What could not be measured does not count as kept. */
  kept: boolean;
  /** Sentences, gravest first. */
  broken: string[];
  /** What a person should know although the promise allows it. */
  notes: string[];
}

/**
 * The outcome against the promise. In every mode: no phantom, foreign, doubled, altered or reordered row, and members
 * that agree. sync and strict: no acknowledged write lost and none acknowledged by two primaries, whatever the scenario
 * says. single and async: losses are reported and allowed where the scenario allows them, up to the bound; a row whose
 * predecessor is such a loss is part of it.
 */
export function judgeDrill(terms: DrillTerms, facts: DrillFacts): DrillVerdict {
  const judged = [
    ...judgeCheck(terms, facts),
    ...judgeDual(terms, facts.dual),
    ...facts.rehearsed.map(sentence => ({ breaks: true, sentence })),
    ...judgeOutage('write', facts.writeOutageMs, terms.writeOutageMs),
    ...judgeOutage('read', facts.readOutageMs, terms.readOutageMs),
    ...judgeErrors(terms, facts),
    ...judgeWhole(terms, facts),
  ];
  const broken = judged.filter(({ breaks }) => breaks).map(({ sentence }) => sentence);
  const notes = judged.filter(({ breaks }) => !breaks).map(({ sentence }) => sentence);
  return { kept: broken.length === 0, broken, notes };
}

interface Judged {
  breaks: boolean;
  sentence: string;
}

const broken = (sentence: string): Judged => ({ breaks: true, sentence });
const note = (sentence: string): Judged => ({ breaks: false, sentence });

function judgeCheck(terms: DrillTerms, { check, members }: DrillFacts): Judged[] {
  if (check === undefined) return [broken('the ledger was not read: nothing is known of the writes')];
  const { overall, writes } = check;
  const read = new Set(check.members.map(({ member }) => member));
  const unread = members.filter(member => !read.has(member));
  const judged = [...judgeLoss(terms, check)];
  if (unread.length > 0 || read.size === 0) {
    judged.push(broken(`the ledger was not read on ${unread.join(', ') || 'any member'}`));
  }
  if (writes.acknowledged === 0)
    judged.push(broken('no write was acknowledged: nothing was put to the test'));
  const never: [Listed, string][] = [
    [overall.phantom, 'refused and yet there'],
    [overall.foreign, 'there and never sent'],
    [overall.duplicate, 'there more than once'],
    [overall.differing, 'there with other content than sent'],
    [overall.divided, 'on some members and not on others'],
    [overall.reordered, 'not where their chain has them'],
  ];
  for (const [found, what] of never) {
    if (found.count > 0) judged.push(broken(`${writesOf(found.count)} ${what}: ${named(found)}`));
  }
  if (writes.unknown > 0) {
    const { unknownPresent, unknownAbsent } = overall;
    judged.push(
      note(
        `${writesOf(writes.unknown)} without a clear answer: ${unknownPresent.count} there, ${unknownAbsent.count} not`,
      ),
    );
  }
  return judged;
}

function judgeLoss(terms: DrillTerms, { overall, members }: LedgerCheck): Judged[] {
  const { lost, holes, loss } = overall;
  const judged: Judged[] = [];
  const allowed = terms.lossAllowed && (terms.mode === 'single' || terms.mode === 'async');
  if (lost.count > 0) {
    const size = loss.bytes === undefined ? 'an unknown amount of WAL' : `${loss.bytes} bytes of WAL`;
    const sentence = `${writesOf(lost.count)} acknowledged and lost (${size}, ${seconds(loss.seconds * 1000)}): ${named(lost)}`;
    if (!allowed) judged.push(broken(sentence));
    else if (terms.lossBytes === undefined) judged.push(note(`${sentence}; ${terms.mode} allows it`));
    else if (loss.bytes !== undefined && loss.bytes <= terms.lossBytes)
      judged.push(note(`${sentence}; within the ${terms.lossBytes} bytes that ${terms.mode} may lose`));
    else judged.push(broken(`${sentence}; not within the ${terms.lossBytes} bytes that may be lost`));
  }
  const explained = (member: MemberCheck) => member.holes.count <= member.lost.count;
  if (holes.count > 0 && !(allowed && members.every(explained))) {
    judged.push(broken(`${writesOf(holes.count)} there without the one before: ${named(holes)}`));
  }
  return judged;
}

function judgeDual({ mode }: DrillTerms, dual: DualReport): Judged[] {
  const judged: Judged[] = [];
  if (dual.dualAcknowledged > 0) {
    const servers = dual.windows.map(
      ({ server, newerServer }) => `${server ?? '?'} beside ${newerServer ?? '?'}`,
    );
    const sentence = `${writesOf(dual.dualAcknowledged)} acknowledged by a second primary over ${seconds(dual.windowMs)}: ${servers.join(', ')}`;
    judged.push(mode === 'async' ? note(sentence) : broken(sentence));
  }
  if (dual.unattributed > 0) {
    judged.push(note(`${writesOf(dual.unattributed)} acknowledged without a word of who did`));
  }
  return judged;
}

function judgeOutage(kind: 'write' | 'read', ms: number | undefined, bound: number | undefined): Judged[] {
  if (bound === undefined) return [];
  if (ms === undefined) return [broken(`the ${kind} outage was not measured`)];
  if (ms <= bound) return [];
  return [broken(`no ${kind} was answered for ${seconds(ms)}, at most ${seconds(bound)} are promised`)];
}

function judgeErrors({ errorsAllowed }: DrillTerms, { errorsBeyondInFlight: errors }: DrillFacts): Judged[] {
  if (errors === 0) return [];
  const sentence = `clients saw ${errors} ${errors === 1 ? 'error' : 'errors'} beyond the transactions in flight`;
  return [errorsAllowed ? note(sentence) : broken(sentence)];
}

function judgeWhole({ capMs }: DrillTerms, { wholeAfterMs }: DrillFacts): Judged[] {
  if (wholeAfterMs !== undefined && wholeAfterMs <= capMs) return [];
  return [broken(`the cluster was not whole again within ${seconds(capMs)}`)];
}

function writesOf(count: number): string {
  return count === 1 ? '1 write' : `${count} writes`;
}

function named({ count, ids }: Listed): string {
  const more = count - ids.length;
  return more > 0 ? `${ids.join(', ')} and ${more} more` : ids.join(', ');
}

function seconds(ms: number): string {
  return `${Number((ms / 1000).toFixed(3))} s`;
}
