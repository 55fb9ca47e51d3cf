/** `up --isolate`: members on hosts of their own, and what can be broken only there. */
import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readdirSync, statfsSync, statSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { MemberDocument, UpDocument } from '../../src/cli/schema.ts';
import type { Fault } from '../../src/core/drill/fault.ts';
import { createLocalPlatform } from '../../src/platform/local/index.ts';
import { expectKept, writesGoOn } from '../faults/support/load.ts';
import { Cluster } from '../support/cluster.ts';
import { ROOT } from '../support/command.ts';
import { forgetHosts, linksOf, loopsBelow, mountsBelow, namespacesOf } from '../support/hosts.ts';
import { isolated } from '../support/isolated.ts';
import { manifest } from '../support/manifest.ts';
import { eventually, WITHIN } from '../support/poll.ts';
import { killAllOf } from '../support/processes.ts';
import { prepareLedger, Writer } from '../support/writer.ts';
import { networkTests } from './isolate/network.ts';

const LOGIN = { user: 'bauer', database: 'firmendaten' };
const MIB = 1024 * 1024;

isolated('isolated members', sandbox => {
  networkTests(sandbox);

  const cluster = new Cluster(sandbox, 'insel');
  const manifestOf = (instances: number) =>
    manifest({ name: 'insel', instances, spec: { enableConnectionPooler: true } });
  const file = sandbox.file('insel.yaml', manifestOf(3));
  const data = (name = '') => join(cluster.root, 'data', name);
  let created: UpDocument;
  let subnet = '';

  beforeAll(async () => {
    created = await cluster.up(file, ['--isolate', '--allow-drills']);
    [subnet = ''] = sandbox.subnets;
  });

  /** What the platform of this process can break: undone by the caller. */
  async function inject(fault: Fault) {
    const platform = createLocalPlatform({
      stateDir: sandbox.stateDir,
      toolsDir: sandbox.env.PGHERD_TOOLS_DIR,
      launch: { node: process.execPath, main: join(ROOT, 'src', 'main.ts') },
      onSetup: () => {},
    });
    using opened = await platform.open({ name: 'insel', namespace: 'default' }, AbortSignal.timeout(10_000));
    return await opened.faults.inject(fault, AbortSignal.timeout(30_000));
  }

  async function standby(): Promise<MemberDocument> {
    const { members } = await cluster.status();
    const found = members.find(member => member.role === 'standby');
    if (found === undefined) throw new Error(`no standby: ${JSON.stringify(members)}`);
    return found;
  }

  describe('up --isolate', () => {
    it('makes a healthy cluster whose members have networks of their own', async () => {
      expect(created).toMatchObject({ created: true, verdict: 'healthy' });
      const { members } = await cluster.status();
      const network = subnet.replace('127.', '100.');
      expect(members.map(member => member.address).sort()).toEqual(
        [10, 11, 12].map(last => `${network}.${last}`),
      );
      const own = Object.values(networkInterfaces()).flatMap(list => (list ?? []).map(item => item.address));
      expect(own.filter(address => address.startsWith(`${network}.`))).toEqual([`${network}.1`]);
      expect(namespacesOf(subnet)).toHaveLength(4);
    });

    it('lets clients in at every endpoint, with the name in the certificate checked', async () => {
      for (const endpoint of ['primary', 'standby', 'pooler'] as const) {
        await using sql = await cluster.connect(endpoint, LOGIN);
        expect(await sql.value('SELECT pg_is_in_recovery()')).toBe(endpoint === 'standby');
      }
    });

    it('has the members talk by their own addresses', async () => {
      const primary = await cluster.primary();
      await using sql = await cluster.connectMember(primary);
      const rows = await sql.rows('SELECT host(client_addr) AS address FROM pg_stat_replication');
      const { members } = await cluster.status();
      const standbys = members.filter(member => member.role === 'standby').map(member => member.address);
      expect(rows.map(row => row.address).sort()).toEqual(standbys.sort());
    });

    it('gives each member a volume, where this machine can mount one', ctx => {
      const note = created.notes.find(text => text.includes('no volumes of their own'));
      if (note !== undefined) return ctx.skip(note);
      const mounted = ['insel-0', 'insel-1', 'insel-2'].map(name => data(name));
      expect(mountsBelow(sandbox.stateDir).sort()).toEqual(mounted);
      const { blocks, bsize } = statfsSync(data('insel-0'));
      expect((blocks * bsize) / MIB).toBeGreaterThan(900);
      expect((blocks * bsize) / MIB).toBeLessThanOrEqual(1024);
    });

    it('changes nothing when it is run again', async () => {
      const look = () => ({
        servers: cluster.servers(),
        namespaces: namespacesOf(subnet).map(name => statSync(join('/run/netns', name)).ino),
        mounts: mountsBelow(sandbox.stateDir),
      });
      const before = look();
      expect(await cluster.up(file, ['--isolate'])).toMatchObject({ changed: false, steps: [] });
      expect(await cluster.up(file)).toMatchObject({ changed: false, steps: [] });
      expect(look()).toEqual(before);
    });

    it('is refused to anybody but root, before anything is touched', ctx => {
      const stateDir = join(sandbox.root, 'files', 'nobody');
      mkdirSync(stateDir);
      chownSync(stateDir, 65534, 65534);
      const main = join(ROOT, 'src', 'main.ts');
      const drop = ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath];
      const words = ['up', file, '--isolate', '--state-dir', stateDir, '--output', 'json'];
      const reads = spawnSync('/usr/bin/setpriv', [...drop, '--check', main]);
      if (reads.status !== 0)
        return ctx.skip('another user can neither be taken on here nor read this directory');
      const { status, stdout } = spawnSync('/usr/bin/setpriv', [...drop, main, ...words], {
        encoding: 'utf8',
      });
      expect(status).toBe(2);
      expect(JSON.parse(stdout).error).toMatchObject({ code: 'root-needed' });
      expect(readdirSync(stateDir)).toEqual([]);
    });
  });

  describe('a member cut off from everyone', () => {
    it('is replaced when it was the primary, returns, and no acknowledged write is lost', async () => {
      const target = await cluster.target('primary', LOGIN);
      await prepareLedger(target);
      const old = await cluster.primary();
      const writer = new Writer(target, { workers: 4 });
      try {
        await writesGoOn(writer);
        const cut = await inject({ kind: 'cut', member: old.name, peers: 'everyone', direction: 'both' });
        try {
          await eventually('another primary', WITHIN.streaming, async () => {
            const { members } = await cluster.status();
            return members.some(member => member.role === 'primary' && member.name !== old.name);
          });
          await writesGoOn(writer);
        } finally {
          await cut.undo(AbortSignal.timeout(30_000));
        }
        await cluster.whole(3);
        await writesGoOn(writer);
      } finally {
        await writer.stop();
      }
      await expectKept(cluster, [await writer.stop()]);
    });

    it('is seen by those only from whom it was not cut', async () => {
      const { name, address } = await standby();
      const cut = await inject({ kind: 'cut', member: name, peers: 'clients', direction: 'both' });
      try {
        const { members } = await cluster.status();
        expect(members.find(member => member.name === name)).toMatchObject({ state: 'lost' });
        await using sql = await cluster.connectMember(await cluster.primary());
        const rows = await sql.rows('SELECT host(client_addr) AS address FROM pg_stat_replication');
        expect(rows.map(row => row.address)).toContain(address);
      } finally {
        await cut.undo(AbortSignal.timeout(30_000));
      }
      await cluster.whole(3);
    });
  });

  it('a full volume takes nothing of the machine, and is empty again after the undo', async ctx => {
    if (mountsBelow(sandbox.stateDir).length === 0) return ctx.skip('this machine mounts no images');
    const { name } = await standby();
    const free = (path: string) => {
      const { bavail, bsize } = statfsSync(path);
      return (bavail * bsize) / MIB;
    };
    const before = free(cluster.root);
    const full = await inject({ kind: 'fill-volume', member: name });
    try {
      // The server may give a segment back at any moment.
      expect(free(data(name))).toBeLessThan(64);
      expect(free(cluster.root)).toBeGreaterThan(before - 400);
    } finally {
      await full.undo(AbortSignal.timeout(30_000));
    }
    expect(free(data(name))).toBeGreaterThan(256);
    await cluster.whole(3);
  });

  it('come back after a reboot: everything killed, networks and mounts gone, then up', async () => {
    const victims = killAllOf(sandbox.stateDir);
    expect(victims.map(({ name }) => name)).toEqual(expect.arrayContaining(['tini', 'etcd', 'postgres']));
    forgetHosts(sandbox.stateDir, [subnet]);
    expect([...namespacesOf(subnet), ...linksOf(subnet), ...mountsBelow(sandbox.stateDir)]).toEqual([]);
    expect(await cluster.status()).toMatchObject({ verdict: 'down' });
    expect(await cluster.up(file)).toMatchObject({ created: false, verdict: 'healthy' });
    await cluster.whole(3);
    await using sql = await cluster.connect('pooler', LOGIN);
    expect(await sql.value('SELECT count(*) > 0 FROM ledger')).toBe(true);
  });

  it('leave their volume behind when they are removed, and their network unless a voter needs it', async () => {
    await cluster.up(sandbox.file('insel-2.yaml', manifestOf(2)));
    await cluster.whole(2);
    expect(mountsBelow(sandbox.stateDir)).not.toContain(data('insel-2'));
    expect(existsSync(data('insel-2'))).toBe(false);
    expect(readdirSync(join(cluster.root, 'aside')).filter(name => name.startsWith('insel-2.'))).toHaveLength(
      1,
    );
    // The third voter is on the third host.
    expect(namespacesOf(subnet)).toHaveLength(4);
  });

  it('leave nothing when the cluster is stopped but images, and nothing at all when it is destroyed', async () => {
    const left = () => [
      ...namespacesOf(subnet),
      ...linksOf(subnet),
      ...mountsBelow(sandbox.stateDir),
      ...loopsBelow(sandbox.stateDir),
    ];
    await sandbox.json(['down', 'insel']);
    expect(left()).toEqual([]);
    await sandbox.json(['destroy', 'insel', '--yes-destroy', 'insel']);
    expect(left()).toEqual([]);
    expect(existsSync(cluster.root)).toBe(false);
  });
});
