/** Nobody gets in by default, and secrets stay where they belong. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Cluster, EndpointKey } from '../../support/cluster.ts';
import { ask } from '../../support/http.ts';
import { processesOf } from '../../support/processes.ts';
import { Sql, sqlstate } from '../../support/sql.ts';

const ENDPOINTS: EndpointKey[] = ['primary', 'standby', 'pooler', 'poolerStandby'];
/** invalid_authorization_specification of PostgreSQL, protocol_violation of PgBouncer. */
const NO_TLS = ['28000', '08P01'];
/** invalid_password of both; PgBouncer's older versions say protocol_violation. */
const WRONG_PASSWORD = ['28P01', '08P01'];

export function securityTests(cluster: Cluster): void {
  const login = { user: 'bauer', database: 'firmendaten' };

  describe('security', () => {
    it('refuses clients without TLS on every endpoint and directly at every member', async () => {
      const { members } = await cluster.status();
      for (const where of [...ENDPOINTS, ...members.map(({ address, port }) => ({ host: address, port }))]) {
        const target = await cluster.target(where, login);
        // The same login with TLS works, so that it is TLS which is missed.
        await (await Sql.open(target))[Symbol.asyncDispose]();
        const refused = await Sql.open({ ...target, tls: false }).catch(sqlstate);
        expect(NO_TLS, JSON.stringify(where)).toContain(refused);
      }
    });

    it('shows a certificate of its own authority, and of no other', async () => {
      const target = await cluster.target('pooler', login);
      const other = await Sql.open(target, { ssl: true }).catch(sqlstate);
      expect(other).toMatch(/^(SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE)$/);
    });

    it.each(ENDPOINTS)('refuses a wrong password at %s', async endpoint => {
      const target = await cluster.target(endpoint, { ...login, password: 'wrong' });
      expect(WRONG_PASSWORD).toContain(await Sql.open(target).catch(sqlstate));
      const nobody = { ...target, user: 'nobody' };
      expect(WRONG_PASSWORD).toContain(await Sql.open(nobody).catch(sqlstate));
    });

    it('keeps SCRAM verifiers only, and every role that logs in has one', async () => {
      await using sql = await cluster.connect('primary');
      const others = await sql.rows(
        "SELECT rolname FROM pg_authid WHERE rolcanlogin AND rolpassword NOT LIKE 'SCRAM-SHA-256$%' IS NOT FALSE",
      );
      expect(others).toEqual([]);
      expect(await sql.value('SHOW password_encryption')).toBe('scram-sha-256');
    });

    it('checksums its data on every member', async () => {
      for (const member of (await cluster.status()).members) {
        await using sql = await cluster.connectMember(member);
        expect(await sql.value('SHOW data_checksums')).toBe('on');
      }
    });

    it('does not run the servers as root', () => {
      const found = processesOf(cluster.root).filter(({ name }) =>
        /^(etcd|postgres|python3|pgbouncer|haproxy)$/.test(name),
      );
      const kinds = new Set(found.map(({ name }) => name));
      expect([...kinds].sort()).toEqual(['etcd', 'haproxy', 'pgbouncer', 'postgres', 'python3']);
      expect(found.filter(({ uid }) => uid === 0)).toEqual([]);
    });

    it('lets nobody speak to etcd or Patroni without a certificate of the cluster', async () => {
      const { members } = await cluster.status();
      for (const { address } of members) {
        for (const [port, path] of [
          [2379, '/health'],
          [8008, '/patroni'],
        ] as const) {
          const where = { host: address, port, path };
          expect((await ask(cluster.ca, where, cluster.certificate)).status).toBe(200);
          expect(await ask(cluster.ca, where).catch(sqlstate), `${address}:${port}`).toMatch(/^E/);
        }
        const peer = { host: address, port: 2380, path: '/version' };
        expect(await ask(cluster.ca, peer).catch(sqlstate), `${address}:2380`).toMatch(/^E/);
      }
    });

    it('names Secrets as the contract of the format says, readable by their owner alone', async () => {
      const secrets = join(cluster.root, 'secrets');
      const users = ['bauer', 'pooler', 'postgres', 'standby'];
      for (const user of users) {
        const secret = join(secrets, `${user}.${cluster.name}.credentials.postgresql.acid.zalan.do`);
        expect(readFileSync(join(secret, 'username'), 'utf8')).toBe(user);
        expect(readFileSync(join(secret, 'password'), 'utf8')).toBe(await cluster.password(user));
      }
      for (const path of walk(secrets)) {
        const { mode } = statSync(path);
        expect(mode & 0o777, path).toBe(statSync(path).isDirectory() ? 0o700 : 0o600);
      }
    });

    it('lets others read the certificate of its authority, and nothing that is secret', () => {
      const harmless = /^(ca\.crt|lock(\.holder)?|services\/.*)$/;
      const readable = openPaths(cluster.root).map(path => relative(cluster.root, path));
      expect(readable).toContain('ca.crt');
      expect(readable.filter(path => !harmless.test(path))).toEqual([]);
      for (const path of openPaths(cluster.sandbox.stateDir)) {
        const text = readFileSync(path, 'utf8');
        expect(text.includes('PRIVATE KEY') || passwords(cluster).some(one => text.includes(one)), path).toBe(
          false,
        );
      }
    });

    it('has passwords in no argument of any process and in no log', () => {
      const secret = passwords(cluster);
      expect(secret.length).toBeGreaterThanOrEqual(5);
      const holds = (text: string) => secret.some(password => text.includes(password));
      const commands = readdirSync('/proc')
        .filter(name => /^\d+$/.test(name))
        .filter(pid => holds(readable(`/proc/${pid}/cmdline`)));
      expect(commands).toEqual([]);
      const logs = walk(cluster.sandbox.stateDir).filter(path =>
        /\/logs?\/|\.log$|journal\.jsonl$/.test(path),
      );
      expect(logs.length).toBeGreaterThan(10);
      expect(logs.filter(path => holds(readable(path)))).toEqual([]);
    });
  });
}

/** Every password and private key of the cluster, as text. */
function passwords(cluster: Cluster): string[] {
  return walk(join(cluster.root, 'secrets'))
    .filter(path => basename(path) === 'password')
    .map(path => readFileSync(path, 'utf8').trim());
}

/** All paths below a directory, sockets and pipes left out. */
function walk(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap(entry => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return [path, ...walk(path)];
    return entry.isFile() ? [path] : [];
  });
}

/** Files that anybody on the machine can read: each directory on the way has to let them through. */
function openPaths(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap(entry => {
    const path = join(directory, entry.name);
    const { mode } = statSync(path);
    if (entry.isDirectory()) return (mode & 0o001) === 0 ? [] : openPaths(path);
    return entry.isFile() && (mode & 0o004) !== 0 ? [path] : [];
  });
}

function readable(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
