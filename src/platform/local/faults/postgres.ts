/** What PostgreSQL itself is made to do wrong: lose its data, stop replaying, promote itself. */
import { randomBytes } from 'node:crypto';
import { mkdir, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run } from '../../../lib/exec.ts';
import { componentKind } from '../layout.ts';
import { listServices } from '../runit.ts';
import type { FaultOf, Injector } from './injector.ts';
import { memberObstacle, openInside, standbyObstacle } from './members.ts';
import { postmasterOf } from './processes.ts';

const PROMOTE_MS = 30_000;

export const loseData: Injector<FaultOf<'lose-data'>> = {
  async obstacle({ member }, context) {
    const unknown = await memberObstacle(member, context);
    if (unknown !== undefined) return unknown;
    const members = (await listServices(context.paths.services)).filter(
      name => componentKind(name) === 'member',
    );
    if (members.length < 2) return `${member} is the only member: nobody could build it anew`;
    return (await postmasterOf(context.paths, member)) === undefined
      ? `PostgreSQL of ${member} does not run`
      : undefined;
  },

  async prepare({ member }, { paths }) {
    const from = join(paths.data, member, 'pgdata');
    // A member's own volume is another file system: a directory cannot be moved out of it in one step.
    const aside = (await sameFileSystem(from, paths.aside)) ? paths.aside : dirname(from);
    const to = join(aside, `${member}.drill-${randomBytes(4).toString('hex')}`);
    return {
      description: `${from} was moved away under the running server, to ${to}`,
      weaker: undefined,
      undo: [{ kind: 'lost-data', member, from, to }],
      async act(done) {
        await mkdir(aside, { recursive: true });
        await rename(from, to);
        done();
      },
    };
  },
};

export const pauseReplay: Injector<FaultOf<'pause-replay'>> = {
  obstacle: ({ member }, context) => standbyObstacle(member, context),

  async prepare({ member }, context) {
    return {
      description: `pg_wal_replay_pause() on ${member}`,
      weaker: undefined,
      undo: [{ kind: 'replay', member }],
      async act(done, signal) {
        await using session = await openInside(member, context, signal);
        await session.query('SELECT pg_wal_replay_pause()');
        done();
      },
    };
  },
};

export const promote: Injector<FaultOf<'promote'>> = {
  obstacle: ({ member }, context) => standbyObstacle(member, context),

  async prepare({ member }, { paths, record }) {
    const data = join(paths.data, member, 'pgdata');
    const { uid, gid } = record.serviceUser;
    const user = process.getuid?.() === 0 ? { uid, gid } : {};
    return {
      description: `pg_ctl promote on ${member}, behind Patroni's back`,
      weaker: undefined,
      undo: [],
      async act(done, signal) {
        const argv = [
          join(record.postgres.binDir, 'pg_ctl'),
          'promote',
          '--no-wait',
          '--pgdata',
          data,
        ] as const;
        await run(argv, { signal, timeoutMs: PROMOTE_MS, cwd: dirname(data), ...user });
        done();
      },
    };
  },
};

async function sameFileSystem(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([stat(one), stat(other)].map(found => found.catch(() => undefined)));
  return a !== undefined && a.dev === b?.dev;
}
