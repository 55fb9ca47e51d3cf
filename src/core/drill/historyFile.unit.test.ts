import { describe, expect, it } from 'vitest';
import { endText, parseHistory, readText, sentText } from './historyFile.ts';

const sent = { id: 'w1', path: 'pooler', chain: 'c', sequence: 0, previous: '', hash: 'h', sentAt: 1.5 };
const end = {
  id: 'w1',
  endedAt: 3.25,
  outcome: 'acknowledged' as const,
  code: undefined,
  server: '127.64.0.10',
  timeline: 2,
  lsn: 12_345_678_901_234_567n,
};
const read = { path: 'standby, read', sentAt: 1, endedAt: 2, ok: false, code: '57P03', server: undefined };

describe('the history on disk', () => {
  it('comes back as it was recorded', () => {
    expect(parseHistory(sentText(sent) + readText(read) + endText(end))).toEqual({
      writes: [{ ...sent, ...end }],
      reads: [read],
    });
  });

  it('holds a write that never ended as unknown', () => {
    const [write] = parseHistory(sentText(sent)).writes;
    expect(write).toMatchObject({ outcome: 'unknown', endedAt: Number.POSITIVE_INFINITY, code: undefined });
  });

  it('leaves out a last line that was cut off, and nothing else', () => {
    const text = sentText(sent) + endText(end);
    expect(parseHistory(text.slice(0, -3)).writes).toMatchObject([{ outcome: 'unknown' }]);
    expect(() => parseHistory(`["e"]\n${text}`)).toThrow();
    expect(() => parseHistory(endText(end))).toThrow('never sent');
  });
});
