/** What a cluster needs of the machine, and which of Debian's packages bring it. */

/** Directories that Debian installs programs into. PATH is not asked: it lacks sbin for most users. */
export const PROGRAM_DIRS = ['/usr/bin', '/usr/sbin', '/bin', '/sbin'] as const;

export const POSTGRES_ROOT = '/usr/lib/postgresql';

/** Programs of one PostgreSQL major that are used; a directory without one of them is incomplete. */
export const POSTGRES_PROGRAMS = [
  'postgres',
  'initdb',
  'pg_ctl',
  'pg_controldata',
  'pg_rewind',
  'pg_basebackup',
  'pg_isready',
  'pg_dump',
  'pg_dumpall',
  'pg_restore',
  'psql',
] as const;

/** Never the python3 of PATH: the libraries are packages of the system's. */
export const PYTHON = '/usr/bin/python3';

interface ProgramNeed {
  package: string;
  /** Arguments that make the program name its version; null for one that cannot. */
  version: readonly string[] | null;
}

export const PROGRAMS = {
  etcd: { package: 'etcd-server', version: ['--version'] },
  pgbouncer: { package: 'pgbouncer', version: ['--version'] },
  haproxy: { package: 'haproxy', version: ['-v'] },
  pgbackrest: { package: 'pgbackrest', version: ['version'] },
  tini: { package: 'tini', version: ['--version'] },
  flock: { package: 'util-linux', version: ['--version'] },
  openssl: { package: 'openssl', version: ['version'] },
  runsvdir: { package: 'runit', version: null },
  runsv: { package: 'runit', version: null },
  sv: { package: 'runit', version: null },
  svlogd: { package: 'runit', version: null },
  chpst: { package: 'runit', version: null },
} as const satisfies Record<string, ProgramNeed>;

export type ProgramName = keyof typeof PROGRAMS;

/** Programs that only clusters with isolated members need: networks, packet rules, volumes. */
export const ISOLATION_PROGRAMS = {
  ip: 'iproute2',
  ss: 'iproute2',
  nsenter: 'util-linux',
  iptables: 'iptables',
  mount: 'mount',
  umount: 'mount',
  'mkfs.ext4': 'e2fsprogs',
} as const satisfies Record<string, string>;

export type IsolationProgram = keyof typeof ISOLATION_PROGRAMS;

/**
 * Python modules that Patroni imports, with the packages that hold them; of alternatives the first one that
 * the package sources have. Debian 12 has cdiff only, its successor ydiff came later.
 */
export const PYTHON_MODULES: readonly { modules: readonly string[]; packages: readonly string[] }[] = [
  { modules: ['psycopg2'], packages: ['python3-psycopg2'] },
  { modules: ['yaml'], packages: ['python3-yaml'] },
  { modules: ['click'], packages: ['python3-click'] },
  { modules: ['prettytable'], packages: ['python3-prettytable'] },
  { modules: ['dateutil'], packages: ['python3-dateutil'] },
  { modules: ['psutil'], packages: ['python3-psutil'] },
  { modules: ['urllib3'], packages: ['python3-urllib3'] },
  { modules: ['etcd'], packages: ['python3-etcd'] },
  { modules: ['ydiff', 'cdiff'], packages: ['python3-ydiff', 'python3-cdiff'] },
];

/** There while asRoot.sh installs, and after it was killed. */
export const UNFINISHED_MARK = '/var/lib/pgherd-setup';
