/**
 * The first version number in what a program says of itself (`haproxy -v`, `etcd --version`…): digits and
 * dots, and PostgreSQL's suffix before a release (`17beta1`). Undefined when there is none.
 */
export function versionIn(text: string): string | undefined {
  return /(?<![\w.])\d+(?:\.\d+)*(?:(?:alpha|beta|rc|devel)\d*)?/.exec(text)?.[0];
}

/** Order of two versions by their numbers; what follows the numbers does not count. */
export function compareVersions(a: string, b: string): number {
  const left = numbers(a);
  const right = numbers(b);
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function numbers(version: string): number[] {
  return (/^\d+(?:\.\d+)*/.exec(version)?.[0] ?? '').split('.').map(Number);
}

export interface MajorChoice {
  major: number | undefined;
  wantedMissing: boolean;
}

/**
 * PostgreSQL's major to use: the wanted one if it is installed or can be had, else the newest of all. Without
 * a wish an installed one is preferred to an installation.
 */
export function chooseMajor(
  wanted: number | undefined,
  installed: readonly number[],
  installable: readonly number[],
): MajorChoice {
  if (wanted === undefined) {
    return { major: newest(installed) ?? newest(installable), wantedMissing: false };
  }
  const all = [...installed, ...installable];
  if (all.includes(wanted)) return { major: wanted, wantedMissing: false };
  return { major: newest(all), wantedMissing: true };
}

function newest(majors: readonly number[]): number | undefined {
  return majors.length === 0 ? undefined : Math.max(...majors);
}

/** Why a Patroni of this version is not used; undefined when it may be. */
export function patroniObjection(version: string): string | undefined {
  if (compareVersions(version, '3.0.3') < 0) {
    return 'versions below 3.0.3 lose acknowledged writes when a network partition heals';
  }
  if (compareVersions(version, '4.0') < 0) return 'pgherd is made for Patroni 4';
  if (compareVersions(version, '5') >= 0) return 'pgherd does not know Patroni 5 yet';
  return undefined;
}
