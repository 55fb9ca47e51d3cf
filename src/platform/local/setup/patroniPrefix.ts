import { readdir, readFile } from 'node:fs/promises';
import { compareVersions, patroniObjection } from './versions.ts';

const SYSTEM_VERSION_FILE = '/usr/lib/python3/dist-packages/patroni/version.py';

/** The newest acceptable Patroni below toolsDir, and why others that lie there are not used. */
export async function findPatroni(
  toolsDir: string,
): Promise<{ prefix: string | undefined; version: string | undefined; notes: string[] }> {
  const names = await readdir(toolsDir).catch(() => []);
  const versions = names.flatMap(name => /^patroni-(\d+(?:\.\d+)+)$/.exec(name)?.[1] ?? []);
  const notes = versions.flatMap(version => noteFor(version, `${toolsDir}/patroni-${version}`));
  const version = versions
    .filter(v => patroniObjection(v) === undefined)
    .sort(compareVersions)
    .at(-1);
  return { prefix: version && `${toolsDir}/patroni-${version}`, version, notes };
}

/** A Patroni of the system's is the user's business; that it is not used is said when it would be dangerous. */
export async function noteSystemPatroni(): Promise<string[]> {
  const text = await readFile(SYSTEM_VERSION_FILE, 'utf8').catch(() => '');
  const version = /__version__ = '([^']+)'/.exec(text)?.[1];
  return version === undefined ? [] : noteFor(version, 'the package patroni of this machine');
}

function noteFor(version: string, where: string): string[] {
  const objection = patroniObjection(version);
  return objection === undefined ? [] : [`Patroni ${version} (${where}) is not used: ${objection}`];
}
