import { readdir } from 'node:fs/promises';
import { run } from '../../../lib/exec.ts';
import {
  MIRROR_FORMAT,
  majorsAmong,
  type Policy,
  parseMirrors,
  parsePolicy,
  parseUpgrades,
} from './aptText.ts';

const QUESTION_MS = 60_000;

/** The environment in which apt's output is parsed: C locale, Debian's own programs. */
export const APT_ENV = {
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C',
  DEBIAN_FRONTEND: 'noninteractive',
  ...pick(['HOME', 'http_proxy', 'https_proxy', 'no_proxy', 'APT_CONFIG']),
};

function pick(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap(n => (process.env[n] === undefined ? [] : [[n, process.env[n]]])));
}

/** Asks apt what is installed and what could be. Packages that it does not know are absent. */
export async function policyOf(names: readonly string[], signal: AbortSignal): Promise<Map<string, Policy>> {
  if (names.length === 0) return new Map();
  const { stdout } = await run(['apt-cache', 'policy', ...names], {
    signal,
    timeoutMs: QUESTION_MS,
    env: APT_ENV,
  });
  return parsePolicy(stdout);
}

/** PostgreSQL majors that the machine's package sources can install. */
export async function installableMajors(signal: AbortSignal): Promise<number[]> {
  const { stdout } = await run(['apt-cache', 'pkgnames', 'postgresql-'], {
    signal,
    timeoutMs: QUESTION_MS,
    env: APT_ENV,
  });
  const names = stdout.split('\n').filter(name => majorsAmong([name]).length > 0);
  const policies = await policyOf(names, signal);
  return majorsAmong(names.filter(name => policies.get(name)?.candidate !== undefined));
}

/** Whether `apt-get update` was ever run here: images are often shipped without package lists. */
export async function hasPackageLists(): Promise<boolean> {
  const files = await readdir('/var/lib/apt/lists').catch(() => []);
  return files.some(file => /_Packages(\.\w+)?$/.test(file));
}

/** Installed packages that installing `packages` would bring to another version. Changes nothing. */
export async function upgradesNeeded(packages: readonly string[], signal: AbortSignal) {
  const argv = [
    'apt-get',
    '--simulate',
    '--no-install-recommends',
    '--no-remove',
    'install',
    ...packages,
  ] as const;
  const { stdout } = await run(argv, { signal, timeoutMs: QUESTION_MS, env: APT_ENV });
  return parseUpgrades(stdout);
}

/** Debian archives that this machine is configured for, in their order; at least one, or its package manager is of no use. */
export async function debianMirrors(signal: AbortSignal): Promise<string[]> {
  const { stdout } = await run(['apt-get', 'indextargets', '--format', MIRROR_FORMAT], {
    signal,
    timeoutMs: QUESTION_MS,
    env: APT_ENV,
  });
  return [...new Set(parseMirrors(stdout))];
}
