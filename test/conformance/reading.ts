import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { LogLine } from '../../src/platform/contract.ts';
import { Sql } from '../support/sql.ts';
import { INSTANCES, NAME, needs, PLACEMENT, type Shared, soon } from './platform.ts';

/** What can be learned of a cluster, without any effect on it. */
export function readingTests({ platform, cluster, ref, manifest, traits }: Shared): void {
  const commanded = needs(traits, 'commanded');
  describe('observation', () => {
    it('shows every wanted component running, one primary, and standbys that stream', async () => {
      const observed = await cluster().observe({ catalog: false }, soon());
      const wanted = cluster()
        .desired()
        .components.map(component => component.name);
      expect(observed.components.map(component => component.name).sort()).toEqual(wanted.sort());
      expect(observed.components.filter(one => !one.running || one.outdated !== 'no')).toEqual([]);
      expect(observed.members.map(({ role, state }) => `${role} ${state}`).sort()).toEqual([
        'primary running',
        'standby streaming',
      ]);
      expect(observed.members).toHaveLength(INSTANCES);
      expect(observed).toMatchObject({ exists: true, stopped: false });
      expect(Math.abs(Date.now() - Date.parse(observed.observedAt))).toBeLessThan(20_000);
    });

    needs(traits, 'membersReached')(
      'says of each member where it is: there a PostgreSQL of that role answers',
      async () => {
        const { members } = await cluster().observe({ catalog: false }, soon());
        const { password } = await cluster().access.credentials('postgres');
        const tls = await readFile(await cluster().access.caFile(), 'utf8');
        for (const { address, port, role } of members) {
          const target = { host: address, port, user: 'postgres', password, database: 'postgres', tls };
          await using sql = await Sql.open(target);
          expect(await sql.value('SELECT pg_is_in_recovery()')).toBe(role === 'standby');
        }
      },
    );

    needs(traits, 'catalogs')('reads catalogs when asked to, and only then', async () => {
      const without = await cluster().observe({ catalog: false }, soon());
      expect(without.catalog).toBeUndefined();
      const { catalog } = await cluster().observe({ catalog: true }, soon());
      expect(catalog?.databases.firmendaten?.owner).toBe('bauer');
      expect(catalog?.roles.bauer).toBeDefined();
    });

    it('ends promptly when it is aborted, with the reason', async () => {
      const gone = new Error('enough');
      await expect(cluster().observe({ catalog: true }, AbortSignal.abort(gone))).rejects.toBe(gone);
      const controller = new AbortController();
      const looking = cluster().observe({ catalog: true }, controller.signal);
      const started = performance.now();
      controller.abort(gone);
      await looking.catch((error: unknown) => expect(error).toBe(gone));
      expect(performance.now() - started).toBeLessThan(1000);
    });
  });

  describe('what was recorded', () => {
    it('is found by whoever opens the cluster', async () => {
      const { spec } = manifest(NAME, ref().namespace, INSTANCES);
      expect(await platform().list(soon())).toEqual([ref()]);
      using opened = await platform().open(ref(), soon());
      expect(opened.ref).toEqual(ref());
      // Whoever makes the cluster may leave notes of its own on it.
      expect({ ...opened.spec, annotations: {} }).toEqual(spec);
      const { endpoints } = await cluster().observe({ catalog: false }, soon());
      expect(opened.access.endpoint('primary')).toMatchObject(endpoints.primary ?? {});
    });

    commanded('is given back letter by letter', async () => {
      using opened = await platform().open(ref(), soon());
      expect(await opened.appliedManifest()).toBe(manifest(NAME, ref().namespace, INSTANCES).text);
    });

    commanded('stands until the next record: adopting another manifest alone changes nothing', async () => {
      const other = manifest(NAME, ref().namespace, 1);
      using adopted = await platform().adopt(other.spec, other.text, PLACEMENT, soon());
      expect(adopted.spec.instances).toBe(1);
      expect(await adopted.appliedManifest()).toBe(manifest(NAME, ref().namespace, INSTANCES).text);
    });
  });

  describe('endpoints and credentials', () => {
    it('lead to PostgreSQL, for each endpoint that the manifest asks for', async () => {
      const tls = await readFile(await cluster().access.caFile(), 'utf8');
      const { password, username } = await cluster().access.credentials('bauer');
      expect(cluster().access.endpoint('poolerStandby')).toBeUndefined();
      await cluster().access.reach(soon());
      for (const name of ['primary', 'standby', 'pooler'] as const) {
        const address = cluster().access.endpoint(name);
        if (address === undefined) throw new Error(`no endpoint ${name}`);
        const target = { ...address, user: username, password, database: 'firmendaten', tls };
        await using sql = await Sql.open(target);
        expect(await sql.value('SELECT pg_is_in_recovery()'), name).toBe(name === 'standby');
      }
    });

    it('lead a user of the member itself past network and password', async () => {
      const { members } = await cluster().observe({ catalog: false }, soon());
      for (const { name, role } of members) {
        const { socketDirectory: host, ...rest } = await cluster().access.inside(name);
        await using sql = await Sql.open({ host, ...rest, password: '', database: 'postgres', tls: false });
        expect(await sql.value('SELECT pg_is_in_recovery()'), name).toBe(role === 'standby');
      }
    });

    it('stay the same, and are named as the contract of the format says', async () => {
      const first = await cluster().access.credentials('bauer');
      using opened = await platform().open(ref(), soon());
      expect(await opened.access.credentials('bauer')).toEqual(first);
      expect(first.secret).toBe('bauer.probe.credentials.postgresql.acid.zalan.do');
      expect(await cluster().access.users()).toEqual(
        expect.arrayContaining(['bauer', 'postgres', 'standby']),
      );
    });

    it('are refused for a user that does not exist', async () => {
      await expect(cluster().access.credentials('niemand')).rejects.toMatchObject({ code: 'unknown-user' });
    });

    it('are neither in the arguments nor in the environment of psql', async () => {
      const { argv, env } = await cluster().access.psql({
        endpoint: 'primary',
        user: 'bauer',
        database: 'firmendaten',
      });
      const { password } = await cluster().access.credentials('bauer');
      expect(JSON.stringify([argv, env])).not.toContain(password);
      expect(argv[0]).toContain('psql');
    });
  });

  describe('logs', () => {
    const all = { follow: false, since: undefined, components: [], tail: undefined };

    it('come in the order of time, from every kind of server that has something to say', async () => {
      const lines = await collect(cluster().logs(all, soon()));
      const times = lines.map(line => line.at);
      expect(times).toEqual([...times].sort());
      for (const at of times) expect(new Date(at).toISOString()).toBe(at);
      const components = new Set(lines.map(line => line.component));
      for (const one of ['probe-0', 'probe-1']) expect(components).toContain(one);
    });

    it('can be narrowed to components, a moment and the last lines', async () => {
      const some = await collect(cluster().logs({ ...all, components: ['probe-1'], tail: 3 }, soon()));
      expect(some.map(line => line.component)).toEqual(['probe-1', 'probe-1', 'probe-1']);
      const since = new Date(some[1]?.at ?? 0);
      const later = await collect(cluster().logs({ ...all, components: ['probe-1'], since }, soon()));
      expect(later.every(line => line.at >= since.toISOString())).toBe(true);
      expect(later.length).toBeGreaterThanOrEqual(2);
    });

    it('are followed until the signal aborts', async () => {
      const controller = new AbortController();
      const seen: LogLine[] = [];
      const following = (async () => {
        for await (const line of cluster().logs({ ...all, follow: true, tail: 1 }, controller.signal))
          seen.push(line);
      })().catch((error: unknown) => error);
      // Patroni writes a line with every look at its member.
      await expect.poll(() => seen.length, { timeout: 15_000 }).toBeGreaterThan(2);
      const started = performance.now();
      controller.abort(new Error('enough'));
      await following;
      expect(performance.now() - started).toBeLessThan(1000);
    });
  });

  describe('the journal', () => {
    it('gives back what was appended, oldest first, from a moment on', async () => {
      const { journal } = cluster();
      const entry = {
        actor: 'test',
        event: 'one',
        subject: 'cluster',
        message: 'first\nline "quoted"',
        reason: 'why',
      };
      await journal.append(entry);
      const [one] = (await journal.read({ since: undefined })).slice(-1);
      expect(one).toMatchObject(entry);
      await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          journal.append({ ...entry, event: `many-${n}`, reason: undefined }),
        ),
      );
      const entries = await journal.read({ since: new Date(one?.at ?? 0) });
      expect(entries.map(item => item.at)).toEqual(entries.map(item => item.at).sort());
      expect(new Set(entries.map(item => item.event)).size).toBeGreaterThanOrEqual(21);
      expect(await journal.read({ since: new Date(Date.now() + 60_000) })).toEqual([]);
    });
  });
}

async function collect(lines: AsyncIterable<LogLine>): Promise<LogLine[]> {
  const all: LogLine[] = [];
  for await (const line of lines) all.push(line);
  return all;
}
