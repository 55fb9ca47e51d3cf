import { describe, expect, it } from 'vitest';
import { checkLedger } from './check.ts';
import { dualWrites } from './dual.ts';
import { makeChain, makeWrite, type Run, sha256 } from './testing/histories.ts';
import { type DrillFacts, type DrillTerms, judgeDrill } from './verdict.ts';

function makeTerms(changes: Partial<DrillTerms> = {}): DrillTerms {
  return {
    mode: 'sync',
    writeOutageMs: 8000,
    readOutageMs: 2000,
    errorsAllowed: true,
    lossAllowed: true,
    lossBytes: undefined,
    capMs: 60_000,
    ...changes,
  };
}

function makeFacts(changes: Partial<DrillFacts> = {}, { writes, members } = makeChain(5)): DrillFacts {
  return {
    check: checkLedger(writes, members, sha256),
    members: members.map(({ member }) => member),
    dual: dualWrites(writes),
    writeOutageMs: 8000,
    readOutageMs: 2000,
    errorsBeyondInFlight: 0,
    wholeAfterMs: 60_000,
    rehearsed: [],
    ...changes,
  };
}

/** A chain of five of which these have gone on every member. */
function losing(...ids: string[]): Run {
  const { writes, members } = makeChain(5);
  return {
    writes,
    members: members.map(ledger => ({ ...ledger, rows: ledger.rows.filter(({ id }) => !ids.includes(id)) })),
  };
}

const dual = dualWrites([
  makeWrite({ id: 'b', server: 'b', timeline: 2 }),
  makeWrite({ id: 'a', server: 'a', sentAt: 2, endedAt: 2000 }),
]);

describe('the verdict', () => {
  it('is kept at the bounds, without a word', () => {
    expect(judgeDrill(makeTerms(), makeFacts())).toEqual({ kept: true, broken: [], notes: [] });
  });

  it.each(['sync', 'strict'] as const)('a lost write breaks %s, whatever the scenario allows', mode => {
    const terms = makeTerms({ mode, lossBytes: 1000 });
    expect(judgeDrill(terms, makeFacts({}, losing('w4'))).broken).toEqual([
      '1 write acknowledged and lost (100 bytes of WAL, 0 s): w4',
    ]);
  });

  it.each(['single', 'async'] as const)('a lost write breaks %s where the scenario allows none', mode => {
    const facts = makeFacts({}, losing('w4'));
    expect(judgeDrill(makeTerms({ mode, lossAllowed: false }), facts).kept).toBe(false);
    expect(judgeDrill(makeTerms({ mode }), facts)).toMatchObject({
      kept: true,
      notes: [expect.stringContaining(`; ${mode} allows it`)],
    });
  });

  it('a loss in async is allowed up to the bound', () => {
    const facts = makeFacts({}, losing('w3', 'w4'));
    expect(judgeDrill(makeTerms({ mode: 'async', lossBytes: 200 }), facts).kept).toBe(true);
    expect(judgeDrill(makeTerms({ mode: 'async', lossBytes: 199 }), facts).broken).toEqual([
      '2 writes acknowledged and lost (200 bytes of WAL, 0.01 s): w3, w4; not within the 199 bytes that may be lost',
    ]);
  });

  it('a loss of unknown size is not within a bound', () => {
    const facts = makeFacts({}, losing('w0', 'w1', 'w2', 'w3', 'w4'));
    expect(judgeDrill(makeTerms({ mode: 'async', lossBytes: 1e9 }), facts).kept).toBe(false);
  });

  it('a hole belongs to an allowed loss, and to nothing else', () => {
    const facts = makeFacts({}, losing('w2'));
    expect(judgeDrill(makeTerms({ mode: 'async' }), facts).kept).toBe(true);
    expect(judgeDrill(makeTerms(), facts).broken).toContain('1 write there without the one before: w3');
    const run = losing('w2');
    const writes = run.writes.map(write =>
      write.id === 'w2' ? { ...write, outcome: 'unknown' as const } : write,
    );
    expect(judgeDrill(makeTerms({ mode: 'async' }), makeFacts({}, { ...run, writes })).kept).toBe(false);
  });

  it.each(['single', 'async', 'sync', 'strict'] as const)('a row that is wrong breaks %s', mode => {
    const { writes, members } = makeChain(2);
    const failed = writes.map(write =>
      write.id === 'w1' ? { ...write, outcome: 'failed' as const } : write,
    );
    const verdict = judgeDrill(makeTerms({ mode }), makeFacts({}, { writes: failed, members }));
    expect(verdict.broken).toEqual(['1 write refused and yet there: w1']);
    const doubled = members.map(({ member, rows }) => ({ member, rows: [...rows, ...rows] }));
    expect(judgeDrill(makeTerms({ mode }), makeFacts({}, { writes, members: doubled })).broken).toEqual([
      '2 writes there more than once: w0, w1',
    ]);
  });

  it('a second primary breaks every mode but async, where its writes count as lost', () => {
    const sentence = '1 write acknowledged by a second primary over 1.999 s: a beside b';
    for (const mode of ['single', 'sync', 'strict'] as const) {
      expect(judgeDrill(makeTerms({ mode }), makeFacts({ dual })).broken).toEqual([sentence]);
    }
    expect(judgeDrill(makeTerms({ mode: 'async' }), makeFacts({ dual }))).toMatchObject({
      kept: true,
      notes: [sentence],
    });
  });

  it('an outage over the bound breaks it; so does one that was not measured', () => {
    expect(judgeDrill(makeTerms(), makeFacts({ writeOutageMs: 8100 })).broken).toEqual([
      'no write was answered for 8.1 s, at most 8 s are promised',
    ]);
    expect(judgeDrill(makeTerms(), makeFacts({ readOutageMs: undefined })).broken).toEqual([
      'the read outage was not measured',
    ]);
    const unbound = makeTerms({ writeOutageMs: undefined, readOutageMs: undefined });
    expect(judgeDrill(unbound, makeFacts({ writeOutageMs: 1e9, readOutageMs: undefined })).kept).toBe(true);
  });

  it('errors beyond the transactions in flight break it where none are allowed', () => {
    const facts = makeFacts({ errorsBeyondInFlight: 2 });
    const sentence = 'clients saw 2 errors beyond the transactions in flight';
    expect(judgeDrill(makeTerms({ errorsAllowed: false }), facts).broken).toEqual([sentence]);
    expect(judgeDrill(makeTerms(), facts)).toEqual({ kept: true, broken: [], notes: [sentence] });
  });

  it.each([undefined, 60_001])('a cluster that is not whole in time breaks it (%s)', wholeAfterMs => {
    expect(judgeDrill(makeTerms(), makeFacts({ wholeAfterMs })).broken).toEqual([
      'the cluster was not whole again within 60 s',
    ]);
  });

  it('what was not looked at does not count as kept', () => {
    expect(judgeDrill(makeTerms(), makeFacts({ check: undefined })).kept).toBe(false);
    expect(judgeDrill(makeTerms(), makeFacts({ members: ['demo-0', 'demo-9'] })).broken).toEqual([
      'the ledger was not read on demo-9',
    ]);
    expect(judgeDrill(makeTerms(), makeFacts({}, makeChain(3, []))).broken).toEqual([
      'the ledger was not read on any member',
    ]);
    expect(judgeDrill(makeTerms(), makeFacts({}, makeChain(0))).broken).toEqual([
      'no write was acknowledged: nothing was put to the test',
    ]);
  });

  it('unknown outcomes are noted', () => {
    const run = makeChain(2);
    const writes = [...run.writes, makeWrite({ id: 'u', outcome: 'unknown' })];
    expect(judgeDrill(makeTerms(), makeFacts({}, { ...run, writes }))).toMatchObject({
      kept: true,
      notes: ['1 write without a clear answer: 0 there, 1 not'],
    });
  });
});
