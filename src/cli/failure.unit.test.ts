import { describe, expect, it } from 'vitest';
import { DeadlineError, PgherdError, RefusedError } from '../lib/errors.ts';
import { describeFailure, failureDocument, failureText } from './failure.ts';
import { InterruptedError, ReaderGoneError } from './interrupt.ts';
import { ManifestInvalidError } from './manifestError.ts';
import { errorDocument } from './schema.ts';
import { createLook } from './text/look.ts';
import { UsageError } from './usage.ts';

const facts = { verbose: false, aborted: undefined, interrupted: undefined };

describe('describeFailure', () => {
  it.each([
    [new PgherdError({ code: 'port-taken', message: 'taken' }), 1],
    [new RefusedError({ code: 'no-candidate', message: 'no' }), 2],
    [new UsageError('what?', 'see'), 2],
    [new DeadlineError('it', 1000), 1],
    [new TypeError('oops'), 1],
  ])('%s', (error, exitCode) => {
    expect(describeFailure(error, facts).exitCode).toBe(exitCode);
  });

  it('says that an unexpected exception is a defect, with the stack only when asked', () => {
    const error = new TypeError('x is undefined');
    const quiet = describeFailure(error, facts);
    expect(quiet).toMatchObject({ code: 'defect', detail: undefined });
    expect(quiet.message).toContain('defect of pgherd');
    expect(quiet.hint).toContain('--verbose');
    expect(describeFailure(error, { ...facts, verbose: true }).detail).toContain('failure.unit.test.ts');
  });

  it('does not call a defect what the machine refuses', () => {
    const error = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    expect(describeFailure(error, facts)).toMatchObject({ code: 'system-enospc', exitCode: 1 });
  });

  it('does not call a defect what took too long', () => {
    const error = new DOMException('The operation was aborted due to timeout', 'TimeoutError');
    expect(describeFailure(error, facts)).toMatchObject({ code: 'timed-out', exitCode: 1 });
  });

  it('tells an interruption by its signal, whatever was thrown because of it', () => {
    const aborted = new InterruptedError('SIGINT');
    const thrown = new PgherdError({
      code: 'x',
      message: 'stopped in the middle',
      detail: 'two members run',
    });
    const failure = describeFailure(thrown, { ...facts, aborted, interrupted: 'go on: pgherd up' });
    expect(failure).toMatchObject({
      exitCode: 130,
      code: 'interrupted',
      hint: 'go on: pgherd up',
      silent: false,
    });
    expect(failure.detail).toBe('stopped in the middle\ntwo members run');
    expect(describeFailure(aborted, { ...facts, aborted: new InterruptedError('SIGTERM') }).exitCode).toBe(
      143,
    );
  });

  it('keeps quiet at the end of a command that leaves nothing behind', () => {
    const aborted = new InterruptedError('SIGINT');
    expect(describeFailure(aborted, { ...facts, aborted })).toMatchObject({ silent: true, exitCode: 130 });
    const gone = new ReaderGoneError();
    expect(describeFailure(gone, { ...facts, aborted: gone })).toMatchObject({ silent: true, exitCode: 0 });
  });

  it('carries the findings of a manifest', () => {
    const finding = {
      severity: 'error',
      code: 'wrong-type',
      path: 'spec',
      line: 2,
      column: 3,
      message: 'no',
      hint: 'yes',
    } as const;
    const failure = describeFailure(
      new ManifestInvalidError('c.yaml', 'a: 1\nspec: 5\n', [finding], []),
      facts,
    );
    expect(failure).toMatchObject({ code: 'manifest-invalid', exitCode: 2, diagnostics: [finding] });
    expect(failure.message).toBe('c.yaml has 1 error: nothing was changed');
    errorDocument.strict().parse(failureDocument(failure));
  });
});

describe('failureDocument', () => {
  it('has all keys', () => {
    const failure = describeFailure(new PgherdError({ code: 'x', message: 'm' }), facts);
    expect(failureDocument(failure)).toEqual({
      schema: 1,
      error: { code: 'x', message: 'm', detail: null, hint: null },
    });
  });
});

describe('failureText', () => {
  it('shows message, facts and remedy', () => {
    const error = new PgherdError({ code: 'x', message: 'm', detail: 'a\nb', hint: 'do this\nor that' });
    expect(failureText(describeFailure(error, facts), createLook(false))).toBe(
      'error: m\n  a\n  b\nhint: do this\n      or that',
    );
  });
});
