import { describe, expect, it } from 'vitest';
import {
  cutRules,
  deletions,
  forgetRules,
  peerPorts,
  type Surroundings,
  transaction,
} from './packetRules.ts';

const AROUND: Surroundings = {
  link: 'eth0',
  outside: '100.64.3.1',
  others: ['100.64.3.11', '100.64.3.12'],
  port: 5432,
};
const cut = (
  peers: 'everyone' | 'dcs' | 'members' | 'clients',
  direction: 'both' | 'outgoing' | 'incoming' = 'both',
) => cutRules({ kind: 'cut', member: 'demo-0', peers, direction }, AROUND, 'tag');

describe('cutRules', () => {
  it('drops everything but what the host tells itself', () => {
    expect(cut('everyone')).toEqual([
      '-A OUTPUT -o eth0 -m comment --comment tag -j DROP',
      '-A INPUT -i eth0 -m comment --comment tag -j DROP',
    ]);
  });

  it('drops one direction only', () => {
    expect(cut('clients', 'outgoing')).toEqual([
      '-A OUTPUT -o eth0 -d 100.64.3.1 -m comment --comment tag -j DROP',
    ]);
    expect(cut('clients', 'incoming')).toEqual([
      '-A INPUT -i eth0 -s 100.64.3.1 -m comment --comment tag -j DROP',
    ]);
  });

  it('drops what etcd says, whoever began the connection', () => {
    expect(cut('dcs', 'outgoing')).toEqual([
      '-A OUTPUT -o eth0 -p tcp -m multiport --ports 2379,2380 -m comment --comment tag -j DROP',
    ]);
  });

  it('drops replication and Patroni between members, and leaves endpoints and etcd alone', () => {
    const rules = cut('members');
    expect(rules).toHaveLength(4);
    expect(rules[0]).toBe(
      '-A OUTPUT -o eth0 -d 100.64.3.11 -p tcp -m multiport --ports 5432,8008 -m comment --comment tag -j DROP',
    );
    expect(rules.join('\n')).not.toContain('100.64.3.1 ');
  });
});

describe('forgetRules', () => {
  it('names no more ports in a rule than iptables takes', () => {
    const ports = Array.from({ length: 16 }, (_, n) => 40_000 + n);
    const rules = forgetRules(ports, AROUND, 'tag');
    expect(rules).toHaveLength(4);
    expect(rules[0]).toContain(
      '-A INPUT -i eth0 -s 100.64.3.1 -p tcp --dport 5432 -m multiport --sports 40000,',
    );
    expect(rules[3]).toContain('--sport 5432 -m multiport --dports 40015 ');
  });

  it('takes the ports from what ss shows', () => {
    const text =
      '0      0      100.64.3.10:5432   100.64.3.1:40000\n0 12 [::ffff:100.64.3.10]:5432 [::ffff:100.64.3.1]:40001\n\n';
    expect(peerPorts(text)).toEqual([40_000, 40_001]);
  });
});

describe('deletions', () => {
  const saved = [
    '*filter',
    ':INPUT ACCEPT [0:0]',
    '-A INPUT -i eth0 -m comment --comment tag-1 -j DROP',
    '-A OUTPUT -o eth0 -m comment --comment "tag-1" -j DROP',
    '-A OUTPUT -o eth0 -m comment --comment tag-10 -j DROP',
    '-A OUTPUT -p tcp -j ACCEPT',
    'COMMIT',
  ].join('\n');

  it('takes back the rules with this tag and no others', () => {
    expect(deletions(saved, 'tag-1')).toEqual([
      '-D INPUT -i eth0 -m comment --comment tag-1 -j DROP',
      '-D OUTPUT -o eth0 -m comment --comment "tag-1" -j DROP',
    ]);
  });

  it('is empty when nothing is left to take back', () => expect(deletions(saved, 'tag')).toEqual([]));
});

it('a transaction is what iptables-restore reads', () => {
  expect(transaction(['-A INPUT -j DROP'])).toBe('*filter\n-A INPUT -j DROP\nCOMMIT\n');
});
