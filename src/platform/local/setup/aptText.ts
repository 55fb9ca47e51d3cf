/** What apt's programs print (in the C locale), as data. Pure. */

export interface Policy {
  installed: string | undefined;
  candidate: string | undefined;
}

/** Output of `apt-cache policy NAME...`. Names unknown to apt are absent. */
export function parsePolicy(text: string): Map<string, Policy> {
  const policies = new Map<string, Policy>();
  let current: Policy | undefined;
  for (const line of text.split('\n')) {
    const name = /^(\S+):$/.exec(line)?.[1];
    if (name !== undefined) {
      current = { installed: undefined, candidate: undefined };
      policies.set(name, current);
      continue;
    }
    const fact = /^ {2}(Installed|Candidate): (\S+)/.exec(line);
    if (!current || fact?.[2] === undefined || fact[2] === '(none)') continue;
    if (fact[1] === 'Installed') current.installed = fact[2];
    else current.candidate = fact[2];
  }
  return policies;
}

/** The majors among package names such as `postgresql-15`. */
export function majorsAmong(names: readonly string[]): number[] {
  return names.flatMap(name => {
    const major = /^postgresql-(\d+)$/.exec(name)?.[1];
    return major === undefined ? [] : [Number(major)];
  });
}

/** The format of `apt-get indextargets` that `parseMirrors` reads. */
export const MIRROR_FORMAT = '$(CREATED_BY)|$(ORIGIN)|$(LABEL)|$(COMPONENT)|$(REPO_URI)';

/**
 * Base addresses of Debian's main archive, as this machine's sources name them, in their order. Its security
 * archive is another one, with a pool of its own; a CD holds nothing newer than itself.
 */
export function parseMirrors(text: string): string[] {
  const mirrors = text.split('\n').flatMap(line => {
    const [kind, origin, label, component, uri] = line.split('|');
    if (kind !== 'Packages' || origin !== 'Debian' || label !== 'Debian' || component !== 'main') return [];
    return uri === undefined || uri.startsWith('cdrom:') ? [] : [uri.replace(/\/+$/, '')];
  });
  return [...new Set(mirrors)];
}

/** Packages that `apt-get --simulate install` would replace by another version, as `name old -> new`. */
export function parseUpgrades(text: string): { name: string; change: string }[] {
  return [...text.matchAll(/^Inst (\S+) \[(\S+)\] \((\S+)/gm)].map(([, name = '', from, to]) => ({
    name,
    change: `${name} ${from} -> ${to}`,
  }));
}

/** What a line of apt's or dpkg's output says about progress, for people. */
export function progressOf(line: string): string | undefined {
  const holder = /held by process (\d+)(?: \(([^)]+)\))?/.exec(line);
  if (holder)
    return `waiting for process ${holder[1]} (${holder[2] ?? 'unknown'}), which holds the package lock`;
  const fetched = /^Get:\d+ \S+ \S+ \S+ (\S+)/.exec(line);
  if (fetched) return `fetching ${fetched[1]}`;
  const step = /^(Unpacking|Setting up) (\S+)/.exec(line);
  if (step) return `${step[1]?.toLowerCase()} ${step[2]?.replace(/:\w+$/, '')}`;
  return undefined;
}
