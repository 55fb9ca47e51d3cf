import { describe, expect, it } from 'vitest';
import { roleInTitle } from './processes.ts';

describe('roleInTitle', () => {
  it('knows the processes of PostgreSQL by the titles they give themselves', () => {
    const role = (rest: string) => roleInTitle(`postgres: herd: ${rest}`, 'herd');
    expect(role('walwriter ')).toBe('walwriter');
    expect(role('checkpointer')).toBe('checkpointer');
    expect(role('startup recovering 000000010000000000000004')).toBe('startup');
    expect(role('startup waiting for 000000010000000000000004')).toBe('startup');
    expect(role('walreceiver streaming 0/4476110')).toBe('walreceiver');
    expect(role('walreceiver ')).toBe('walreceiver');
    expect(role('walsender standby 127.64.0.11(40000) streaming 0/5000060')).toBe('walsender');
    expect(role('background writer')).toBeUndefined();
  });

  it('takes neither sessions nor other clusters for them', () => {
    expect(roleInTitle('postgres: herd: walwriter shop 127.0.0.1(40000) idle', 'herd')).toBeUndefined();
    expect(roleInTitle('postgres: herd: startup shop [local] idle', 'herd')).toBeUndefined();
    expect(roleInTitle('postgres: other: walwriter', 'herd')).toBeUndefined();
    expect(roleInTitle('postgres: walwriter', 'herd')).toBeUndefined();
    expect(roleInTitle('vi postgres: herd: walwriter', 'herd')).toBeUndefined();
  });
});
