/** What a version of pgBackRest can do. */

const SFTP_SINCE = [2, 46] as const;
const BLOCKS_SINCE = [2, 48] as const;

/** A repository on an SFTP server. */
export function knowsSftp(version: string): boolean {
  return atLeast(version, SFTP_SINCE);
}

/** Increments of parts of files; a trial before, and its format was changed since. */
export function knowsBlocks(version: string): boolean {
  return atLeast(version, BLOCKS_SINCE);
}

function atLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [found = 0, part = 0] = version.split('.').map(Number);
  return found > major || (found === major && part >= minor);
}
