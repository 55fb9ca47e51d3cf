/** Labels that `expire` removes, or would remove, by what it logs at level info. */
export function parseExpire(text: string): { backups: string[]; segments: number | undefined } {
  const backups = [
    ...text.matchAll(
      /(?:remove expired|expire (?:full|diff|incr|time-based)[^\n]*?)(?: backup(?: set)?)? ?([0-9]{8}-[0-9]{6}F(?:_[0-9]{8}-[0-9]{6}[DI])?)/g,
    ),
  ].map(match => match[1] ?? '');
  return { backups: [...new Set(backups)].sort(), segments: undefined };
}
