/** What `expire` removes, or would remove, by what it logs. */
export function parseExpire(text: string): { backups: string[]; wal: { first: string; last: string }[] } {
  const backups = [
    ...text.matchAll(/remove expired backup ([0-9]{8}-[0-9]{6}F(?:_[0-9]{8}-[0-9]{6}[DI])?)\s/g),
  ];
  const wal = [...text.matchAll(/remove archive, start = ([0-9A-F]{24}), stop = ([0-9A-F]{24})/g)];
  return {
    backups: [...new Set(backups.map(match => match[1] ?? ''))].sort(),
    wal: wal.map(match => ({ first: match[1] ?? '', last: match[2] ?? '' })),
  };
}
