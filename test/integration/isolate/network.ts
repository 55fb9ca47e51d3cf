import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { ensureNetwork, removeHost, removeNetwork } from '../../../src/platform/local/network.ts';
import type { ClusterRecord } from '../../../src/platform/local/record.ts';
import { forgetHosts, linksOf, namespacesOf } from '../../support/hosts.ts';
import type { Sandbox } from '../../support/sandbox.ts';

/** Networks by themselves, with more hosts than the cluster of the test has. */
export function networkTests(sandbox: Sandbox): void {
  describe('the networks', () => {
    const names = { hub: 'pgherd-127-254', link: 'pgherd127-254' };
    const record = (uid: string) => fakeRecord('127.127.254', uid);
    const ours = record('ours');
    const host = (n: number) => `${names.hub}-${n}`;
    const signal = AbortSignal.timeout(60_000);
    const all = () => [...namespacesOf(ours.subnet), ...linksOf(ours.subnet)].sort();

    afterAll(() => forgetHosts(sandbox.stateDir, [ours.subnet]));

    it('is made once, however often it is asked for', async () => {
      await ensureNetwork(ours, 4, signal);
      const made = [names.hub, host(0), host(1), host(2), host(3), names.link].sort();
      expect(all()).toEqual(made);
      await ensureNetwork(ours, 4, signal);
      expect(all()).toEqual(made);
    });

    it('loses a host and gets it back', async () => {
      await removeHost(ours, 3, signal);
      expect(namespacesOf(ours.subnet)).not.toContain(host(3));
      await ensureNetwork(ours, 4, signal);
      expect(namespacesOf(ours.subnet)).toContain(host(3));
    });

    it('is completed where it was half made, and mended where somebody took a part away', async () => {
      await removeHost(ours, 2, signal);
      writeFileSync(`/run/netns/${host(2)}`, '');
      spawnSync('/sbin/ip', ['netns', 'delete', names.hub]);
      await ensureNetwork(ours, 4, signal);
      const { status } = spawnSync('/sbin/ip', ['-n', host(2), 'route', 'get', '100.127.254.10']);
      expect(status).toBe(0);
    });

    it("is not taken from another cluster's hands", async () => {
      await expect(ensureNetwork(record('theirs'), 3, signal)).rejects.toMatchObject({
        code: 'network-taken',
      });
      await removeNetwork(record('theirs'), signal);
      expect(namespacesOf(ours.subnet)).toHaveLength(5);
    });

    it('goes without a trace', async () => {
      await removeNetwork(ours, signal);
      expect(all()).toEqual([]);
      await removeNetwork(ours, signal);
    });
  });
}

/** Just what a network is made from. */
function fakeRecord(subnet: string, uid: string): ClusterRecord {
  const isolation = { ip: '/sbin/ip', nsenter: '/usr/bin/nsenter' };
  return { name: 'netz', subnet, isolated: true, uid, programs: { isolation } } as unknown as ClusterRecord;
}
