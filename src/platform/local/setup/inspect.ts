import { constants } from 'node:fs';
import { access, readdir } from 'node:fs/promises';
import { run } from '../../../lib/exec.ts';
import { installableMajors, policyOf } from './apt.ts';
import { recall, remember } from './memory.ts';
import {
  ISOLATION_PROGRAMS,
  type IsolationProgram,
  POSTGRES_PROGRAMS,
  POSTGRES_ROOT,
  PROGRAM_DIRS,
  PROGRAMS,
  type ProgramName,
  PYTHON,
  PYTHON_MODULES,
  UNFINISHED_MARK,
} from './needs.ts';
import { findPatroni, noteSystemPatroni } from './patroniPrefix.ts';
import { askPython, patroniEnv } from './python.ts';
import type { MissingTool, Tools, ToolsReport } from './tools.ts';
import { chooseMajor, versionIn } from './versions.ts';

export interface InspectOptions {
  /** The manifest's major. Undefined: whatever is installed. */
  majorWanted?: number | undefined;
  /** Where Patroni's prefix lies; it need not exist. */
  toolsDir: string;
  /** Look for what isolated members need as well. */
  isolation?: boolean | undefined;
  signal: AbortSignal;
}

/**
 * Finds the programs that a cluster is made of, asking each for its version. Changes nothing but a note in
 * toolsDir, if that may be written: the next call is answered from it while packages and sources stay as they are.
 */
export async function inspectTools(options: InspectOptions): Promise<ToolsReport> {
  const known = await recall(options);
  if (known) return known;
  const report = await lookAround(options);
  if (report.tools) await remember(report);
  return report;
}

async function lookAround(options: InspectOptions): Promise<ToolsReport> {
  const { majorWanted, toolsDir, isolation = false, signal } = options;
  const [postgres, programs, patroni, forIsolation, unfinished] = await Promise.all([
    inspectPostgres(majorWanted, signal),
    inspectPrograms(signal),
    inspectPatroni(toolsDir, signal),
    isolation ? inspectIsolation() : NOT_ASKED_FOR,
    access(UNFINISHED_MARK).then(
      () => true,
      () => false,
    ),
  ]);
  const missing = [...postgres.missing, ...programs.missing, ...patroni.missing, ...forIsolation.missing];
  const { major, wantedMissing } = postgres;
  const tools =
    missing.length === 0 && !unfinished && postgres.found && patroni.found
      ? {
          postgres: postgres.found,
          ...programs.found,
          patroni: patroni.found,
          isolation: forIsolation.found,
        }
      : undefined;
  const { notes } = patroni;
  return { toolsDir, majorWanted, isolation, major, wantedMissing, missing, unfinished, notes, tools };
}

async function inspectPostgres(majorWanted: number | undefined, signal: AbortSignal) {
  const installed = await installedMajors();
  // Asking apt takes half a second, and is of use only when the answer could matter.
  const settled = majorWanted === undefined ? installed.length > 0 : installed.includes(majorWanted);
  const choice = chooseMajor(majorWanted, installed, settled ? [] : await installableMajors(signal));
  const missing: MissingTool[] = [];
  let found: Tools['postgres'] | undefined;
  if (choice.major !== undefined && installed.includes(choice.major)) {
    const binDir = `${POSTGRES_ROOT}/${choice.major}/bin`;
    found = {
      major: choice.major,
      binDir,
      version: await versionOf(`${binDir}/postgres`, ['--version'], signal),
    };
  } else {
    // Which major it will be is known after `apt-get update` only when there are no package lists yet.
    missing.push({
      tool: choice.major === undefined ? 'PostgreSQL' : `PostgreSQL ${choice.major}`,
      package: choice.major === undefined ? 'postgresql' : `postgresql-${choice.major}`,
    });
  }
  return { ...choice, found, missing };
}

/** Majors of which every program that is used is there: a client package alone leaves a directory, too. */
async function installedMajors(): Promise<number[]> {
  const names = await readdir(POSTGRES_ROOT).catch(() => []);
  const complete = await Promise.all(
    names.map(async name => {
      if (!/^\d+$/.test(name)) return false;
      const there = POSTGRES_PROGRAMS.map(program => isExecutable(`${POSTGRES_ROOT}/${name}/bin/${program}`));
      return (await Promise.all(there)).every(Boolean);
    }),
  );
  return names.filter((_, i) => complete[i]).map(Number);
}

async function inspectPrograms(signal: AbortSignal) {
  const missing: MissingTool[] = [];
  const find = async (name: ProgramName): Promise<{ path: string; version: string }> => {
    const need = PROGRAMS[name];
    const path = await locate(name);
    if (path === undefined) {
      missing.push({ tool: name, package: need.package });
      return { path: '', version: '' };
    }
    return { path, version: need.version === null ? '' : await versionOf(path, need.version, signal) };
  };
  const names = Object.keys(PROGRAMS) as ProgramName[];
  const answers = await Promise.all(names.map(async name => [name, await find(name)] as const));
  const { runsvdir, runsv, sv, svlogd, chpst, ...rest } = Object.fromEntries(answers) as Record<
    ProgramName,
    { path: string; version: string }
  >;
  const runit = {
    runsvdir: runsvdir.path,
    runsv: runsv.path,
    sv: sv.path,
    svlogd: svlogd.path,
    chpst: chpst.path,
  };
  return { missing, found: { ...rest, runit } };
}

const NOT_ASKED_FOR = { missing: [] as MissingTool[], found: undefined };

async function inspectIsolation() {
  const names = Object.keys(ISOLATION_PROGRAMS) as IsolationProgram[];
  const found = await Promise.all(names.map(async name => [name, await locate(name)] as const));
  const missing: MissingTool[] = found
    .filter(([, path]) => path === undefined)
    .map(([name]) => ({ tool: name, package: ISOLATION_PROGRAMS[name] }));
  return { missing, found: Object.fromEntries(found) as Record<IsolationProgram, string> };
}

async function inspectPatroni(toolsDir: string, signal: AbortSignal) {
  const notes = await noteSystemPatroni();
  const own = await findPatroni(toolsDir);
  notes.push(...own.notes);
  if (!(await isExecutable(PYTHON))) {
    const packages = [
      'python3',
      ...(await packagesFor(
        PYTHON_MODULES.map(need => need.packages),
        signal,
      )),
    ];
    const missing = packages.map(name => ({ tool: name, package: name }));
    return { notes, found: undefined, missing: own.prefix ? missing : [...missing, PATRONI_MISSING] };
  }
  const answer = await askPython(own.prefix, signal);
  const needs = PYTHON_MODULES.filter(need => need.modules.every(name => answer.absent.includes(name)));
  const packages = await packagesFor(
    needs.map(need => need.packages),
    signal,
  );
  const missing: MissingTool[] = packages.map((name, i) => ({
    tool: `Python's ${needs[i]?.modules[0]}`,
    package: name,
  }));
  const { prefix } = own;
  if (prefix === undefined || (answer.patroniError !== null && missing.length === 0)) {
    if (answer.patroniError !== null)
      notes.push(`Patroni in ${prefix} does not load: ${answer.patroniError}`);
    return { notes, found: undefined, missing: [...missing, PATRONI_MISSING] };
  }
  const found: Tools['patroni'] = {
    version: answer.patroniVersion ?? own.version ?? '',
    prefix,
    argv: [PYTHON, '-m', 'patroni'],
    // The package's own script: the module patroni.ctl cannot be run with -m.
    ctlArgv: [PYTHON, `${prefix}/usr/bin/patronictl`],
    env: patroniEnv(prefix),
  };
  return { notes, found, missing };
}

const PATRONI_MISSING: MissingTool = { tool: 'Patroni', package: undefined };

/** One package per need: of several that would do, the first that the package sources have. */
async function packagesFor(needs: readonly (readonly string[])[], signal: AbortSignal): Promise<string[]> {
  const doubtful = needs.filter(alternatives => alternatives.length > 1).flat();
  const policies = await policyOf(doubtful, signal);
  return needs.flatMap(alternatives => {
    const available = alternatives.find(name => policies.get(name)?.candidate !== undefined);
    return available ?? alternatives.at(-1) ?? [];
  });
}

async function versionOf(path: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  const { stdout, stderr } = await run([path, ...args], { signal, timeoutMs: 20_000 });
  return versionIn(stdout) ?? versionIn(stderr) ?? 'unknown';
}

async function locate(name: string): Promise<string | undefined> {
  for (const directory of PROGRAM_DIRS) {
    if (await isExecutable(`${directory}/${name}`)) return `${directory}/${name}`;
  }
  return undefined;
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
