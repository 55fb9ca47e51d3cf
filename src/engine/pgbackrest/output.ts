/** What can be read from pgBackRest's log lines while it works. They are for people: nothing else depends on them. */

/** The last share of the work that a piece of a backup's log names: "backup file … (8KB, 34.13%)". */
export function percentOf(text: string): number | undefined {
  let last: number | undefined;
  for (const match of text.matchAll(/, (\d{1,3}(?:\.\d+)?)%\)/g)) last = Number(match[1]);
  return last === undefined ? undefined : Math.min(100, last);
}

/**
 * What a failed archive-push says of each repository, by its number; empty where it speaks of none: "repo2:
 * [FileOpenError] unable to open …".
 */
export function pushProblems(text: string): { repository: number; problem: string }[] {
  return [...text.matchAll(/\brepo(\d+): \[\w+\] ([^\n]*)/g)].map(match => ({
    repository: Number(match[1]),
    problem: (match[2] ?? '').trim(),
  }));
}

/** The label of the backup that was taken. */
export function newLabelOf(text: string): string | undefined {
  return /new backup label = (\S+)/.exec(text)?.[1];
}

/** "file missing '20261122-175209F/pg_data/base/5/1255.zst'" and the like, of the log of `verify`. */
export function damagedFiles(log: string): string[] {
  return log.split('\n').flatMap(line => {
    const [, what, file] = / INFO: ((?:file|invalid|error) ?[\w ]*?) '([^']+)'/.exec(line) ?? [];
    return what === undefined || file === undefined ? [] : [`${what} ${file}`];
  });
}
