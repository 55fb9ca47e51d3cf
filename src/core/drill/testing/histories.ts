import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { chainHash } from '../chain.ts';
import type { LedgerRow, MemberLedger, WriteRecord } from '../history.ts';

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A write as it went, and whether its row is there in the end; only an unknown one has the choice. */
type Fate = 'acknowledged' | 'failed' | 'unknown, there' | 'unknown, absent';

interface Event {
  writer: number;
  fate: Fate;
  /** Another server is primary from this write on, on the next timeline. */
  failover: boolean;
}

export interface Run {
  writes: WriteRecord[];
  members: MemberLedger[];
}

export function makeWrite(changes: Partial<WriteRecord> = {}): WriteRecord {
  return {
    id: 'w',
    path: 'pooler',
    chain: 'c',
    sequence: 0,
    previous: '',
    hash: 'h',
    sentAt: 0,
    endedAt: 1,
    outcome: 'acknowledged',
    code: undefined,
    server: '10.0.0.1',
    timeline: 1,
    lsn: 100n,
    ...changes,
  };
}

/**
 * What a run of well-behaved writers on a cluster without fault leaves behind: a write every 10 ms and 100 bytes of
 * WAL, one after the other; a writer begins a new chain after each write that was not acknowledged.
 */
export function makeRun(events: Event[], memberNames = ['demo-0', 'demo-1', 'demo-2']): Run {
  const writes: WriteRecord[] = [];
  const rows: LedgerRow[] = [];
  const heads = new Map<number, LedgerRow | undefined>();
  let timeline = 1;
  events.forEach(({ writer, fate, failover }, index) => {
    if (failover) timeline += 1;
    const head = heads.get(writer);
    const id = `w${index}`;
    const chain = head?.chain ?? `chain ${id}`;
    const sequence = head === undefined ? 0 : head.sequence + 1;
    const previous = head?.hash ?? '';
    const row = { id, chain, sequence, previous, hash: chainHash(previous, chain, sequence, id, sha256) };
    const acknowledged = fate === 'acknowledged';
    heads.set(writer, acknowledged ? row : undefined);
    if (acknowledged || fate === 'unknown, there') rows.push(row);
    writes.push({
      ...row,
      path: writer % 2 === 0 ? 'pooler' : 'primary',
      sentAt: index * 10,
      endedAt: index * 10 + 5,
      outcome: acknowledged ? 'acknowledged' : fate === 'failed' ? 'failed' : 'unknown',
      code: acknowledged ? undefined : fate === 'failed' ? '25006' : '57P01',
      server: acknowledged ? `10.0.0.${(timeline % 3) + 1}` : undefined,
      timeline: acknowledged ? timeline : undefined,
      lsn: acknowledged ? BigInt(index + 1) * 100n : undefined,
    });
  });
  return { writes, members: memberNames.map(member => ({ member, rows: rows.map(row => ({ ...row })) })) };
}

/** Acknowledged writes of one writer: one chain. */
export function makeChain(length: number, memberNames?: string[]): Run {
  const event: Event = { writer: 0, fate: 'acknowledged', failover: false };
  return makeRun(
    Array.from({ length }, () => event),
    memberNames,
  );
}

const event = fc.record<Event>({
  writer: fc.nat({ max: 4 }),
  fate: fc.oneof(
    { weight: 6, arbitrary: fc.constant<Fate>('acknowledged') },
    { weight: 1, arbitrary: fc.constantFrom<Fate>('failed', 'unknown, there', 'unknown, absent') },
  ),
  failover: fc.oneof(
    { weight: 9, arbitrary: fc.constant(false) },
    { weight: 1, arbitrary: fc.constant(true) },
  ),
});

/** Runs that break no promise, of one to three members, each with its rows in an order of its own. */
export const anyRun: fc.Arbitrary<Run> = fc
  .tuple(fc.array(event, { maxLength: 60 }), fc.integer({ min: 1, max: 3 }), fc.infiniteStream(fc.nat()))
  .map(([events, count, numbers]) => {
    const run = makeRun(events, ['demo-0', 'demo-1', 'demo-2'].slice(0, count));
    for (const { rows } of run.members) {
      const keys = new Map(rows.map(row => [row, numbers.next().value ?? 0]));
      rows.sort((a, b) => (keys.get(a) ?? 0) - (keys.get(b) ?? 0));
    }
    return run;
  });
