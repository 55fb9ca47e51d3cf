/** What the machine lacks, found out before anything is written. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { explain } from '../../support/command.ts';
import { manifest } from '../../support/manifest.ts';
import { processesOf } from '../../support/processes.ts';
import type { Sandbox } from '../../support/sandbox.ts';
import { expectNothing } from './nothing.ts';

export function machineTests(sandbox: Sandbox): void {
  const file = () => sandbox.file('klein.yaml', manifest({ name: 'klein' }));

  describe('of what the machine lacks', () => {
    it('a port that something else has on all addresses', async () => {
      const port = await occupy(0);
      const { exitCode, error, stderr } = await sandbox.failure(['up', file(), '--port', String(port)]);
      expect(exitCode).toBeGreaterThan(0);
      expect(error.code).toBe('port-taken');
      expect(error.message).toContain(String(port));
      expect(error.hint).toContain('--port');
      expect(stderr).not.toMatch(/\bat .*\.ts:/);
      expectNothing(sandbox);
    });

    it("a port of a pooler's, too", async () => {
      const spec = { enableConnectionPooler: true };
      const pooled = sandbox.file('pooled.yaml', manifest({ name: 'klein', spec }));
      const port = (await occupy(0)) - 1000;
      const { error } = await sandbox.failure(['up', pooled, '--port', String(port)]);
      expect(error.code).toBe('port-taken');
      expect(error.message).toContain(String(port + 1000));
      expectNothing(sandbox);
    });

    it('memory for what the manifest asks', async () => {
      const resources = { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1', memory: '900Gi' } };
      const greedy = sandbox.file('greedy.yaml', manifest({ name: 'klein', spec: { resources } }));
      const { exitCode, error } = await sandbox.failure(['up', greedy]);
      expect(exitCode).toBe(2);
      expect(error.message).toMatch(/memory/);
      expect(error.hint).toMatch(/resources|shared_buffers/);
      expectNothing(sandbox);
    });

    it('disk space', async ctx => {
      const tiny = join(sandbox.root, 'tiny');
      mkdirSync(tiny);
      const mount = spawnSync('/bin/mount', ['-t', 'tmpfs', '-o', 'size=100m,mode=755', 'tmpfs', tiny]);
      if (mount.status !== 0) return ctx.skip('mounting a file system is not permitted here');
      onTestFinished(() => {
        spawnSync('/bin/umount', [tiny]);
      });
      const { exitCode, error } = await sandbox.failure(['up', file()], { env: { PGHERD_STATE_DIR: tiny } });
      expect({ exitCode, code: error.code }).toEqual({ exitCode: 2, code: 'not-enough-disk' });
      expect(error.message).toContain(tiny);
      expect(error.hint).toContain('--state-dir');
      expect(readdirSync(tiny)).toEqual([]);
      expect(processesOf(tiny)).toEqual([]);
    });

    it.runIf(process.getuid?.() === 0)("a way in for the servers' user", async () => {
      const closed = join(sandbox.root, 'closed');
      mkdirSync(closed);
      chmodSync(closed, 0o700);
      const stateDir = join(closed, 'state');
      const { exitCode, error } = await sandbox.failure(['up', file()], {
        env: { PGHERD_STATE_DIR: stateDir },
      });
      expect({ exitCode, code: error.code }).toEqual({ exitCode: 2, code: 'state-not-reachable' });
      expect(error.message).toContain(closed);
      expect(processesOf(closed)).toEqual([]);
    });

    it('a path short enough for Unix sockets', async () => {
      const long = join(sandbox.root, 'l'.repeat(90));
      const { error } = await sandbox.failure(['up', file()], { env: { PGHERD_STATE_DIR: long } });
      expect(error.message).toMatch(/too long/);
      expect(error.hint).toContain('--state-dir');
      expect(processesOf(long)).toEqual([]);
    });

    it('a way to say so on a terminal: one error, one hint, no stack', async () => {
      const port = await occupy(0);
      const result = await sandbox.run(['up', file(), '--port', String(port)]);
      expect(result.stderr.match(/^error/gim), explain(result)).toHaveLength(1);
      expect(result.stderr.match(/hint:/g)).toHaveLength(1);
      expect(result.stdout).toBe('');
    });
  });
}

/** Listens on all addresses until the test has ended. Returns the port. */
async function occupy(port: number): Promise<number> {
  const server: Server = createServer(socket => socket.destroy());
  server.listen(port, '0.0.0.0');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
