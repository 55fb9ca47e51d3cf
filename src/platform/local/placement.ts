/** What a cluster's record holds of this machine: port and address, PostgreSQL's major, programs, the servers' user. */
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import type { ClusterSpec } from '../../core/manifest/spec.ts';
import { poolerProcesses } from '../../engine/pgbouncer/config.ts';
import { PgherdError, RefusedError } from '../../lib/errors.ts';
import type { PlacementOptions } from '../contract.ts';
import { dataMajors, LOOPBACK } from './preflight.ts';
import type { ClusterRecord } from './record.ts';
import type { Tools } from './setup/index.ts';

/** An existing cluster keeps its port and its networks: clients and members know them. */
export function placed(known: ClusterRecord, placement: PlacementOptions): Partial<ClusterRecord> {
  if (placement.port !== undefined && placement.port !== known.port) {
    throw new RefusedError({
      code: 'port-fixed',
      message: `the cluster was made with port ${known.port}; a running cluster's port cannot change`,
      hint: `leave out --port, or destroy the cluster and make it anew`,
    });
  }
  if (placement.isolate === true && !known.isolated) {
    throw new RefusedError({
      code: 'isolation-fixed',
      message: 'the cluster was made without --isolate; the network of its members cannot change',
      hint: 'leave out --isolate, or destroy the cluster and make it anew',
    });
  }
  const { listen } = placement;
  return {
    ...(listen === undefined ? {} : { listen: listen === LOOPBACK ? undefined : listen }),
    drillsAllowed: placement.allowDrills ?? known.drillsAllowed,
  };
}

/** Refuses data of another major, and, where asked, a major other than the wanted one. */
export async function checkVersions(
  spec: ClusterSpec,
  record: ClusterRecord,
  placement: PlacementOptions,
  data: string,
): Promise<void> {
  const { major } = record.postgres;
  const foreign = (await dataMajors(data)).find(entry => entry.major !== major);
  if (foreign !== undefined) {
    throw new RefusedError({
      code: 'other-major',
      message: `the data of ${foreign.member} belong to PostgreSQL ${foreign.major}, and this cluster runs ${major}`,
      hint: `install PostgreSQL ${foreign.major} (apt-get install postgresql-${foreign.major}), or dump and restore into a new cluster; nothing was touched`,
    });
  }
  if (spec.version !== record.wantedVersion && spec.version !== String(major)) {
    throw new RefusedError({
      code: 'major-upgrade',
      message: `the manifest asks for PostgreSQL ${spec.version} now, and this cluster's data belong to ${major}`,
      hint: `write version: "${record.wantedVersion}" again, or dump and restore into a new cluster: pgherd does not upgrade to another major yet`,
    });
  }
  if (placement.strictVersion && String(major) !== spec.version) {
    throw new RefusedError({
      code: 'version-not-available',
      message: `the manifest asks for PostgreSQL ${spec.version}, and this machine has ${major}`,
      hint: `add a package source that has postgresql-${spec.version}, write version: "${major}", or leave out --strict-version`,
    });
  }
}

/** Where this machine's programs give something other than the manifest asks for. */
export function versionNotes(spec: ClusterSpec, record: ClusterRecord): string[] {
  const { major } = record.postgres;
  const notes: string[] = [];
  const { pgbouncerVersion } = record.programs;
  const processes = poolerProcesses(spec.pooler, pgbouncerVersion);
  if ((spec.pooler.primary || spec.pooler.standby) && processes !== spec.pooler.instances) {
    notes.push(
      `one process per pooler instead of ${spec.pooler.instances}: PgBouncer ${pgbouncerVersion} cannot pass a cancelled query on to another process (1.19 can)`,
    );
  }
  if (String(major) === spec.version) return notes;
  return [
    ...notes,
    `PostgreSQL ${major} instead of ${spec.version}: this machine's package sources have no postgresql-${spec.version} (--strict-version refuses)`,
  ];
}

/** What isolated members have in place of what the manifest asks for. */
export function isolationNotes(spec: ClusterSpec, record: ClusterRecord): string[] {
  const { isolated, volumeBytes } = record;
  const wanted = spec.volume.sizeBytes;
  if (!isolated || volumeBytes === wanted) return [];
  const mib = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MiB`;
  return [
    volumeBytes === 0
      ? 'the isolated members have no volumes of their own: this machine mounts no images. Faults that fill a volume cannot be injected'
      : `each isolated member has a volume of ${mib(volumeBytes)} instead of ${mib(wanted)}`,
  ];
}

/** Root hands the servers to Debian's user postgres; anybody else runs them as themselves. */
export function serviceUser(): ClusterRecord['serviceUser'] {
  const { username, uid, gid } = userInfo();
  return uid === 0 ? lookUp('postgres') : { name: username, uid, gid };
}

function lookUp(name: string): ClusterRecord['serviceUser'] {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find(entry => entry.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  if (uid === undefined || gid === undefined) {
    throw new PgherdError({
      code: 'no-service-user',
      message: `this machine has no user "${name}"`,
      hint: 'install the package postgresql-common',
    });
  }
  return { name, uid: Number(uid), gid: Number(gid) };
}

export function programsOf(tools: Tools): ClusterRecord['programs'] {
  return {
    etcd: tools.etcd.path,
    haproxy: tools.haproxy.path,
    pgbackrest: tools.pgbackrest.path,
    pgbackrestVersion: tools.pgbackrest.version,
    pgbouncer: tools.pgbouncer.path,
    tini: tools.tini.path,
    flock: tools.flock.path,
    openssl: tools.openssl.path,
    runsvdir: tools.runit.runsvdir,
    svlogd: tools.runit.svlogd,
    chpst: tools.runit.chpst,
    patroni: [...tools.patroni.argv],
    patroniEnv: { ...tools.patroni.env },
    pgbouncerVersion: tools.pgbouncer.version,
    isolation: tools.isolation,
  };
}

/** PostgreSQL's memory units; a bare number counts blocks of 8 kB. */
export function bytesOf(value: string): number {
  const match = /^\s*(\d+)\s*(B|kB|MB|GB|TB)?\s*$/.exec(value);
  if (match === null) return 0;
  const units = { B: 1, kB: 1024, MB: 1024 ** 2, GB: 1024 ** 3, TB: 1024 ** 4 };
  return Number(match[1]) * (match[2] === undefined ? 8192 : units[match[2] as keyof typeof units]);
}
