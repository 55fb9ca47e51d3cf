import { describe, expect, it } from 'vitest';
import { networkTaken } from './hosts.ts';
import { memberAddress, networkNames, outsideAddress } from './layout.ts';
import { mountPoints, volumeSize } from './volumes.ts';

const PLACE = { subnet: '127.127.255', isolated: true };

describe('addresses', () => {
  it('of isolated members lie in 100.64.0.0/10, as those of others lie in 127.64.0.0/10', () => {
    expect(memberAddress(PLACE, 2)).toBe('100.127.255.12');
    expect(outsideAddress(PLACE)).toBe('100.127.255.1');
    expect(memberAddress({ ...PLACE, isolated: false }, 2)).toBe('127.127.255.12');
  });

  it('give names that the kernel takes: interfaces have at most 15 characters', () => {
    expect(networkNames(PLACE).link.length).toBeLessThanOrEqual(15);
    expect(networkNames(PLACE).host(12)).toBe('pgherd-127-255-12');
  });
});

describe('networkTaken', () => {
  const place = { subnet: '127.64.3', isolated: true };

  it.each([
    ['a route to the same network', '100.64.3.0/24', 'eth1'],
    ['a route to a wider one', '100.64.0.0/10', 'tun0'],
    ['an address in it', '100.64.3.77', 'eth1'],
    ['a smaller network in it', '100.64.3.128/25', 'eth1'],
  ])('finds %s', (_, dst, dev) => {
    const refusal = networkTaken(
      place,
      [
        { dst: 'default', dev: 'eth0' },
        { dst, dev },
      ],
      'ours',
    );
    expect(refusal?.message).toContain(dst);
    expect(refusal?.code).toBe('network-taken');
  });

  it('lets pass what leads elsewhere, and everything that leads everywhere', () => {
    const routes = ['default', '0.0.0.0/0', '100.64.2.0/24', '100.64.30.0/24', '127.0.0.0/8', '192.0.2.0/24'];
    expect(
      networkTaken(
        place,
        routes.map(dst => ({ dst })),
        'nobody',
      ),
    ).toBeUndefined();
  });

  it('takes our own interface for what it is', () => {
    const routes = [{ dst: '100.64.3.0/24', dev: 'pgherd64-3' }];
    expect(networkTaken(place, routes, 'ours')).toBeUndefined();
    expect(networkTaken(place, routes, 'nobody')).toBeDefined();
  });
});

it('volumes have between one and two gibibytes', () => {
  const gib = 1024 ** 3;
  expect([gib / 4, gib * 1.5, gib * 100].map(volumeSize)).toEqual([gib, gib * 1.5, gib * 2]);
});

it('mount points are read with what the kernel writes as octal numbers', () => {
  const line = '36 35 98:0 / /state/a\\040b\\134c rw,noatime - ext4 /dev/loop0 rw';
  expect(mountPoints(`${line}\n`)).toEqual(['/state/a b\\c']);
});
