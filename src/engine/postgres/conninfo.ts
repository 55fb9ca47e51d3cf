/** Keywords and values as libpq reads them from one string, quoted. */
export function conninfo(parts: Record<string, string | number>): string {
  return Object.entries(parts)
    .map(([key, value]) => `${key}='${String(value).replace(/['\\]/g, '\\$&')}'`)
    .join(' ');
}
