/** Debian's samba on loopback, as an unprivileged neighbour: own port, own state, one share, guests only. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { eventually, WITHIN } from './poll.ts';

const SMBD = '/usr/sbin/smbd';
const SMBCLIENT = '/usr/bin/smbclient';

/** Why there can be no SMB server here; undefined: there can. */
export const noSamba: string | undefined = [SMBD, SMBCLIENT].every(existsSync)
  ? undefined
  : 'not installed: samba, smbclient';

export class Share implements AsyncDisposable {
  readonly #server: ChildProcess;
  readonly #port: number;

  private constructor(server: ChildProcess, port: number) {
    this.#server = server;
    this.#port = port;
  }

  /** Exports a directory as the share `backups`. `scratch` holds the server's own files. */
  static async open(directory: string, scratch: string): Promise<Share> {
    const port = await freePort();
    mkdirSync(scratch, { recursive: true });
    const config = join(scratch, 'smb.conf');
    const places = [
      'private dir',
      'lock directory',
      'state directory',
      'cache directory',
      'pid directory',
      'ncalrpc dir',
    ];
    const { username } = userInfo();
    writeFileSync(
      config,
      `[global]
  server role = standalone server
  interfaces = 127.0.0.1
  bind interfaces only = yes
  smb ports = ${port}
  map to guest = bad user
  guest account = ${username}
  disable spoolss = yes
  log file = ${join(scratch, 'log')}
${places.map(place => `  ${place} = ${scratch}\n`).join('')}
[backups]
  path = ${directory}
  guest ok = yes
  guest only = yes
  force user = ${username}
  read only = no
`,
    );
    const server = spawn(SMBD, ['--foreground', '--no-process-group', `--configfile=${config}`], {
      stdio: 'ignore',
      // It sends SIGTERM to its whole group when it ends.
      detached: true,
    });
    const share = new Share(server, port);
    await eventually('the SMB server to answer', WITHIN.notice, () => share.run('ls') !== undefined);
    return share;
  }

  /** What smbclient prints for a command, or undefined when it fails. */
  run(command: string): string | undefined {
    const argv = ['//127.0.0.1/backups', '-p', String(this.#port), '-N', '-c', command];
    try {
      return execFileSync(SMBCLIENT, argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    } catch {
      return undefined;
    }
  }

  /** Copies a file of the share to a local one, over the wire. */
  fetch(path: string, local: string): void {
    if (this.run(`get "${path.replaceAll('/', '\\')}" "${local}"`) === undefined)
      throw new Error(`no file ${path} on the share`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#server, 'exit');
    this.#server.kill('SIGTERM');
    await ended;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
