import { z } from 'zod';
import { PgherdError } from '../../lib/errors.ts';
import { readIfExists, writeAtomically } from '../../lib/files.ts';

const program = z.string();

/**
 * What was decided when the cluster was made and must not change under it. Written atomically, and read
 * with a schema: a file that somebody edited or that a disk spoiled gives one clear error.
 */
const clusterRecord = z.strictObject({
  schema: z.literal(1),
  name: z.string(),
  namespace: z.string(),
  subnet: z.string().regex(/^127\.\d+\.\d+$/),
  port: z.number().int(),
  /** Address of the exposed endpoints; absent: loopback only. */
  listen: z.string().optional(),
  createdAt: z.string(),
  /** Stopped on purpose. */
  stopped: z.boolean(),
  /** Each member has a network namespace of its own. */
  isolated: z.boolean().default(false),
  /** Size of each isolated member's own volume; 0: their data lie on the machine's own file system. */
  volumeBytes: z.number().int().nonnegative().default(0),
  /** Drills may run without the name being typed. */
  drillsAllowed: z.boolean().default(false),
  /** Told apart from an earlier cluster of this name. */
  uid: z.string(),
  /** Major version that the manifest asked for when the cluster was made; another one may have been had. */
  wantedVersion: z.string(),
  serviceUser: z.strictObject({ name: z.string(), uid: z.number(), gid: z.number() }),
  postgres: z.strictObject({ major: z.number(), version: z.string(), binDir: z.string() }),
  programs: z.strictObject({
    etcd: program,
    haproxy: program,
    /** Records of clusters that are older than backups have neither. */
    pgbackrest: program.default('/usr/bin/pgbackrest'),
    pgbackrestVersion: z.string().default(''),
    pgbouncer: program,
    tini: program,
    flock: program,
    openssl: program,
    runsvdir: program,
    svlogd: program,
    chpst: program,
    patroni: z.array(z.string()),
    patroniEnv: z.record(z.string(), z.string()),
    pgbouncerVersion: z.string(),
    /** Needed for isolated members only. */
    isolation: z
      .strictObject({
        ip: program,
        ss: program,
        nsenter: program,
        iptables: program,
        mount: program,
        umount: program,
        'mkfs.ext4': program,
      })
      .optional(),
  }),
});

export type ClusterRecord = z.infer<typeof clusterRecord>;

/** A file of the state directory cannot be understood. */
export class StateError extends PgherdError {}

export async function readRecord(path: string): Promise<ClusterRecord | undefined> {
  const text = await readIfExists(path);
  if (text === undefined) return undefined;
  try {
    return clusterRecord.parse(JSON.parse(text));
  } catch (cause) {
    throw new StateError({
      code: 'state-unreadable',
      message: `the state file ${path} cannot be understood`,
      detail: cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause),
      hint: `it was damaged, or written by another version of pgherd; the servers go on running. A copy is kept beside it: cp ${path}.bak ${path}`,
      cause,
    });
  }
}

export async function writeRecord(path: string, record: ClusterRecord): Promise<void> {
  const text = `${JSON.stringify(clusterRecord.parse(record), null, 2)}\n`;
  await writeAtomically(path, text, { mode: 0o600 });
  await writeAtomically(`${path}.bak`, text, { mode: 0o600 });
}
