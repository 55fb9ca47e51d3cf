import { describe, expect, it } from 'vitest';
import { PgherdError } from '../../lib/errors.ts';
import { undoEach } from './undoEach.ts';

const entries = [{ description: 'first' }, { description: 'second' }, { description: 'third' }];
const never = new AbortController().signal;

describe('undoing registered faults', () => {
  it('tries the others where one cannot be undone, and tells of both', async () => {
    const tried: string[] = [];
    const undone = undoEach(
      entries,
      [],
      async ({ description }) => {
        tried.push(description);
        if (description === 'second') throw new Error('no such pod');
        return [`undid ${description}`];
      },
      never,
    );
    await expect(undone).rejects.toThrow('the fault is not undone (second): no such pod');
    expect(tried).toEqual(['first', 'second', 'third']);
  });

  it('counts what could not be read as not undone, and names what was done', async () => {
    const damaged = [new PgherdError({ code: 'state-unreadable', message: 'a line is damaged' })];
    const undone = undoEach(
      entries,
      damaged,
      async ({ description }) => {
        if (description === 'first') throw new PgherdError({ code: 'undo-failed', message: 'frozen' });
        return [`undid ${description}`];
      },
      never,
    );
    await expect(undone).rejects.toMatchObject({
      message: '2 registered faults are not undone',
      detail: 'a line is damaged\nfrozen\nundid second\nundid third',
    });
  });

  it('ends with the signal', async () => {
    const stop = new AbortController();
    const tried: string[] = [];
    const undone = undoEach(
      entries,
      [],
      async ({ description }) => {
        tried.push(description);
        stop.abort(new Error('Ctrl-C'));
        throw new Error('broken off');
      },
      stop.signal,
    );
    await expect(undone).rejects.toThrow('Ctrl-C');
    expect(tried).toEqual(['first']);
  });
});
