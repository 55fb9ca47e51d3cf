/**
 * The history on disk, one JSON array a line: ["s",...] before a write is sent, ["e",...] when it has ended,
 * ["r",...] for a read that has ended. A write without an end is unknown: so says a run that was cut off.
 */
import { z } from 'zod';
import type { Outcome, ReadRecord, WriteRecord } from './history.ts';

export type Sent = Pick<WriteRecord, 'id' | 'path' | 'chain' | 'sequence' | 'previous' | 'hash' | 'sentAt'>;
export type Ended = Pick<WriteRecord, 'id' | 'endedAt' | 'outcome' | 'code' | 'server' | 'timeline' | 'lsn'>;

const text = z.string();
const maybe = z.string().nullable();
const sentLine = z.tuple([z.literal('s'), text, text, text, z.number(), text, text, z.number()]);
const endLine = z.tuple([
  z.literal('e'),
  text,
  z.number(),
  z.enum(['acknowledged', 'failed', 'unknown']),
  maybe,
  maybe,
  z.number().nullable(),
  maybe,
]);
const readLine = z.tuple([z.literal('r'), text, z.number(), z.number(), z.boolean(), maybe, maybe]);
const line = z.union([sentLine, endLine, readLine]);

export function sentText(write: Sent): string {
  const { id, path, chain, sequence, previous, hash, sentAt } = write;
  return `${JSON.stringify(['s', id, path, chain, sequence, previous, hash, sentAt])}\n`;
}

export function endText(write: Ended): string {
  const { id, endedAt, outcome, code, server, timeline, lsn } = write;
  const position = lsn === undefined ? null : String(lsn);
  return `${JSON.stringify(['e', id, endedAt, outcome, code ?? null, server ?? null, timeline ?? null, position])}\n`;
}

export function readText(read: ReadRecord): string {
  const { path, sentAt, endedAt, ok, code, server } = read;
  return `${JSON.stringify(['r', path, sentAt, endedAt, ok, code ?? null, server ?? null])}\n`;
}

export interface History {
  writes: WriteRecord[];
  reads: ReadRecord[];
}

/** Throws on a line that is none of these; a last line without its end (a run that was cut off) is left out. */
export function parseHistory(content: string): History {
  const writes = new Map<string, WriteRecord>();
  const reads: ReadRecord[] = [];
  const lines = content.split('\n');
  lines.pop();
  for (const one of lines) {
    const parsed = line.parse(JSON.parse(one));
    if (parsed[0] === 's') {
      const [, id, path, chain, sequence, previous, hash, sentAt] = parsed;
      writes.set(id, { id, path, chain, sequence, previous, hash, sentAt, ...UNENDED });
    } else if (parsed[0] === 'e') {
      const [, id, endedAt, outcome, code, server, timeline, lsn] = parsed;
      const write = writes.get(id);
      if (write === undefined) throw new TypeError(`the history ends a write that it never sent: ${id}`);
      Object.assign(write, { endedAt, outcome, ...present(code, server, timeline, lsn) });
    } else {
      const [, path, sentAt, endedAt, ok, code, server] = parsed;
      reads.push({ path, sentAt, endedAt, ok, code: code ?? undefined, server: server ?? undefined });
    }
  }
  return { writes: [...writes.values()], reads };
}

const UNENDED = {
  endedAt: Number.POSITIVE_INFINITY,
  outcome: 'unknown' as Outcome,
  code: undefined,
  server: undefined,
  timeline: undefined,
  lsn: undefined,
};

function present(code: string | null, server: string | null, timeline: number | null, lsn: string | null) {
  return {
    code: code ?? undefined,
    server: server ?? undefined,
    timeline: timeline ?? undefined,
    lsn: lsn === null ? undefined : BigInt(lsn),
  };
}
