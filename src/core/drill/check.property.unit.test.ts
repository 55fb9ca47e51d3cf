import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chainHash } from './chain.ts';
import { checkLedger, type LedgerCheck } from './check.ts';
import { dualWrites } from './dual.ts';
import type { LedgerRow } from './history.ts';
import { anyRun, type Run, sha256 } from './testing/histories.ts';
import { type DrillVerdict, judgeDrill } from './verdict.ts';

const runs = { numRuns: Number(process.env.PGHERD_PROPERTY_RUNS ?? 300) };

function check({ writes, members }: Run): LedgerCheck {
  return checkLedger(writes, members, sha256);
}

/** The verdict of a drill in which nothing but the ledger can be wrong. */
function judge(run: Run): DrillVerdict {
  return judgeDrill(
    {
      mode: 'sync',
      writeOutageMs: undefined,
      readOutageMs: undefined,
      errorsAllowed: false,
      lossAllowed: false,
      lossBytes: undefined,
      capMs: 1,
    },
    {
      check: check(run),
      members: run.members.map(({ member }) => member),
      dual: dualWrites(run.writes),
      writeOutageMs: undefined,
      readOutageMs: undefined,
      errorsBeyondInFlight: 0,
      rehearsed: [],
      wholeAfterMs: 1,
    },
  );
}

/** Changes the rows of the member chosen, or of all. */
function alter(run: Run, chosen: number | 'all', change: (rows: LedgerRow[]) => LedgerRow[]): Run {
  const members = run.members.map((ledger, index) =>
    chosen === 'all' || chosen % run.members.length === index
      ? { ...ledger, rows: change([...ledger.rows]) }
      : ledger,
  );
  return { ...run, members };
}

/** An element chosen by a number; the property does not apply where there is none. */
function pick<Element>(list: Element[], choice: number): Element {
  const element = list[choice % Math.max(1, list.length)];
  fc.pre(element !== undefined);
  return element as Element;
}

const anyMember = fc.oneof(fc.nat({ max: 2 }), fc.constant<'all'>('all'));

/** `mutate` changes one thing of a correct run and returns the id that must be found in the list named. */
function finds(
  key: keyof LedgerCheck['overall'] &
    ('lost' | 'phantom' | 'foreign' | 'duplicate' | 'differing' | 'divided'),
  mutate: (run: Run, member: number | 'all', choice: number, other: number) => { run: Run; id: string },
): void {
  fc.assert(
    fc.property(anyRun, anyMember, fc.nat(), fc.nat(), (correct, member, choice, other) => {
      const { run, id } = mutate(correct, member, choice, other);
      expect(check(run).overall[key]).toEqual({ count: 1, ids: [id] });
      expect(judge(run).kept).toBe(false);
    }),
    runs,
  );
}

describe('the checker on generated runs', () => {
  it('never complains of a correct one', () => {
    fc.assert(
      fc.property(anyRun, run => {
        fc.pre(run.writes.some(({ outcome }) => outcome === 'acknowledged'));
        expect(judge(run).broken).toEqual([]);
        const { writes, overall } = check(run);
        expect(overall.unknownPresent.count + overall.unknownAbsent.count).toBe(writes.unknown);
      }),
      runs,
    );
  });

  it('does not mind whether an unknown write is there', () => {
    fc.assert(
      fc.property(anyRun, run => {
        fc.pre(run.writes.some(({ outcome }) => outcome === 'acknowledged'));
        const unknown = new Set(run.writes.filter(write => write.outcome === 'unknown').map(({ id }) => id));
        const gone = alter(run, 'all', rows => rows.filter(({ id }) => !unknown.has(id)));
        const there = alter(gone, 'all', rows => [
          ...rows,
          ...run.writes.filter(({ id }) => unknown.has(id)),
        ]);
        expect(judge(gone).broken).toEqual([]);
        expect(judge(there).broken).toEqual([]);
      }),
      runs,
    );
  });

  it('finds an acknowledged row that was deleted', () => {
    finds('lost', (run, member, choice) => {
      const { id } = pick(
        run.writes.filter(({ outcome }) => outcome === 'acknowledged'),
        choice,
      );
      return { run: alter(run, member, rows => rows.filter(row => row.id !== id)), id };
    });
  });

  it('finds a failed row that was added', () => {
    finds('phantom', (run, member, choice) => {
      const write = pick(
        run.writes.filter(({ outcome }) => outcome === 'failed'),
        choice,
      );
      return { run: alter(run, member, rows => [...rows, write]), id: write.id };
    });
  });

  it('finds a row that was doubled', () => {
    finds('duplicate', (run, member, choice) => {
      const row = pick(run.members[0]?.rows ?? [], choice);
      return { run: alter(run, member, rows => [...rows, row]), id: row.id };
    });
  });

  it('finds a foreign row', () => {
    finds('foreign', (run, member, choice) => {
      const head = run.members[0]?.rows[choice % 7];
      const chain = head?.chain ?? 'x';
      const previous = head?.hash ?? '';
      const sequence = head === undefined ? 0 : head.sequence + 1;
      const hash = chainHash(previous, chain, sequence, 'stranger', sha256);
      const stranger = { id: 'stranger', chain, sequence, previous, hash };
      return { run: alter(run, member, rows => [...rows, stranger]), id: 'stranger' };
    });
  });

  it.each(['hash', 'previous', 'chain', 'sequence'] as const)('finds a row whose %s was altered', field => {
    finds('differing', (run, member, choice, other) => {
      const chosen = pick(run.members[0]?.rows ?? [], choice);
      const value = field === 'sequence' ? chosen.sequence + 1 + (other % 3) : `${chosen[field]}${other}`;
      const change = (rows: LedgerRow[]) =>
        rows.map(row => (row.id === chosen.id ? { ...row, [field]: value } : row));
      return { run: alter(run, member, change), id: chosen.id };
    });
  });

  it('finds two rows that exchanged their content', () => {
    fc.assert(
      fc.property(anyRun, anyMember, fc.nat(), fc.nat(), (correct, member, one, two) => {
        const rows = correct.members[0]?.rows ?? [];
        const [a, b] = [pick(rows, one), pick(rows, two)];
        fc.pre(a.id !== b.id);
        const swapped = new Map([
          [a.id, { ...b, id: a.id }],
          [b.id, { ...a, id: b.id }],
        ]);
        const run = alter(correct, member, all => all.map(row => swapped.get(row.id) ?? row));
        const { differing, reordered, prefix } = check(run).overall;
        expect(new Set(differing.ids)).toEqual(new Set([a.id, b.id]));
        expect(reordered.ids).toEqual(expect.arrayContaining([a.id, b.id]));
        expect(prefix).toBe(false);
        expect(judge(run).kept).toBe(false);
      }),
      runs,
    );
  });

  it('finds the hole before every row whose predecessor was deleted', () => {
    fc.assert(
      fc.property(anyRun, anyMember, fc.nat(), (correct, member, choice) => {
        const next = pick(
          (correct.members[0]?.rows ?? []).filter(({ sequence }) => sequence > 0),
          choice,
        );
        const run = alter(correct, member, rows => rows.filter(({ hash }) => hash !== next.previous));
        expect(check(run).overall.holes).toEqual({ count: 1, ids: [next.id] });
        expect(check(run).overall.prefix).toBe(false);
      }),
      runs,
    );
  });

  it('finds a row that one member has and another has not', () => {
    finds('divided', (run, member, choice) => {
      fc.pre(run.members.length > 1);
      const { id } = pick(run.members[0]?.rows ?? [], choice);
      const one = member === 'all' ? 0 : member;
      return { run: alter(run, one, rows => rows.filter(row => row.id !== id)), id };
    });
  });
});
