import { describe, expect, it } from 'vitest';
import { classifyError, errorClass } from './outcome.ts';

describe('the outcome of a statement that was not acknowledged', () => {
  it.each([
    '25006',
    '25P02',
    '25P03',
    '53300',
    '57P03',
    '28P01',
    '28000',
    '42501',
    '42P01',
    '23505',
    '22001',
  ])('%s: it was not written', code => expect(classifyError({ code, sent: true })).toBe('failed'));

  it.each(['3D000', '26000', '40001', '40P01', '55P03'])('%s: it was not written', code =>
    expect(classifyError({ code, sent: true })).toBe('failed'),
  );

  it.each(['57P01', '57P02', '57P05', '08006', '08P01', '08000', '40003', '40000', '57014', '01000'])(
    '%s: nobody can tell',
    code => expect(classifyError({ code, sent: true })).toBe('unknown'),
  );

  it.each([
    '25P04',
    '53100',
    '53200',
    '58030',
    'XX000',
    '00000',
    '0A000',
    'ECONNRESET',
    'ECONNREFUSED',
    'ETIMEDOUT',
  ])('%s: nobody can tell', code => expect(classifyError({ code, sent: true })).toBe('unknown'));

  it('without a code nobody can tell', () => {
    expect(classifyError({ code: undefined, sent: true })).toBe('unknown');
  });

  it.each(['ECONNREFUSED', 'ETIMEDOUT', '08P01', '57P01', undefined])(
    '%s before it was sent: not written',
    code => expect(classifyError({ code, sent: false })).toBe('failed'),
  );
});

describe('groups of codes', () => {
  it.each([
    ['57P01', '57', 'operator intervention'],
    ['25006', '25', 'read-only or failed transaction'],
    ['XX001', 'XX', 'internal error'],
    ['HV000', 'HV', 'SQLSTATE class HV'],
    ['EPIPE', 'EPIPE', 'connection closed while sending'],
    ['ECONNRESET', 'ECONNRESET', 'connection reset'],
    ['ESOMETHING', 'ESOMETHING', 'ESOMETHING'],
    ['timeout', 'timeout', 'timeout'],
    [undefined, 'none', 'no answer'],
  ])('%s', (code, group, title) => {
    expect(errorClass(code)).toEqual({ class: group, title });
  });
});
