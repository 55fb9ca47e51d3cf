import { PgherdError } from '../../../lib/errors.ts';
import type { IsolationProgram } from './needs.ts';

/** A program of the machine, with the version that it gave itself. */
interface Program {
  path: string;
  version: string;
}

/** Paths of what isolated members need besides. */
export type IsolationPrograms = Record<IsolationProgram, string>;

/** Everything that a cluster on this machine is made of. All paths are absolute. */
export interface Tools {
  /** `binDir` holds postgres, initdb, pg_ctl, pg_rewind, pg_basebackup, psql and the other programs of one major. */
  postgres: { major: number; version: string; binDir: string };
  etcd: Program;
  pgbouncer: Program;
  haproxy: Program;
  pgbackrest: Program;
  tini: Program;
  flock: Program;
  openssl: Program;
  /** runit's programs name no version of their own. */
  runit: { runsvdir: string; runsv: string; sv: string; svlogd: string; chpst: string };
  /**
   * To be run as `[...argv, configFile]` and `[...ctlArgv, command]`, with `env` added to the environment.
   * Both use the system's Python: another one that comes first on PATH lacks the libraries.
   */
  patroni: {
    version: string;
    prefix: string;
    argv: readonly [string, ...string[]];
    ctlArgv: readonly [string, ...string[]];
    env: { PYTHONPATH: string; PYTHONNOUSERSITE: string };
  };
  /** undefined unless it was asked for. */
  isolation: IsolationPrograms | undefined;
}

/** Something that `installTools` would bring. */
export interface MissingTool {
  tool: string;
  /** Debian's package, or undefined for Patroni, which is unpacked into a prefix of ours. */
  package: string | undefined;
}

/** What the machine has and lacks. `tools` is there exactly when nothing is missing or unfinished. */
export interface ToolsReport {
  toolsDir: string;
  majorWanted: number | undefined;
  /** Whether what isolated members need was looked for as well. */
  isolation: boolean;
  /** PostgreSQL's major that is used or would be installed; undefined when the package sources know none. */
  major: number | undefined;
  /** The wanted major is neither installed nor to be had: `major` is another one, and the user must be told. */
  wantedMissing: boolean;
  missing: readonly MissingTool[];
  /** An installation is under way, or was killed and has left things to tidy up; `installTools` sees to it. */
  unfinished: boolean;
  /** What was found and is deliberately not used, with the reason; for people. */
  notes: readonly string[];
  tools: Tools | undefined;
}

export type ReadyReport = ToolsReport & { tools: Tools; major: number };

/** Of the tools, or of the record of a cluster, which has noted them when it was made with isolated members. */
export function isolationPrograms(from: { isolation?: IsolationPrograms | undefined }): IsolationPrograms {
  if (from.isolation !== undefined) return from.isolation;
  throw new PgherdError({
    code: 'tools-missing',
    message: 'it is not noted where the programs for isolated members are',
    hint: 'run `pgherd up` with the manifest',
  });
}

/** Whether nothing is missing. */
export function isReady(report: ToolsReport): report is ReadyReport {
  return report.tools !== undefined;
}
