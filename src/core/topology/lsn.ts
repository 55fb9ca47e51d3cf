/**
 * Log sequence numbers. PostgreSQL writes them as two hexadecimal halves ("16/B374D848"), Patroni's REST
 * interface as one decimal number; both fit a bigint.
 */

/** Parses "16/B374D848"; undefined when the text is no LSN. */
export function parseLsn(text: string): bigint | undefined {
  const match = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text);
  if (match === null) return undefined;
  return (BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`);
}

export function formatLsn(lsn: bigint): string {
  return `${(lsn >> 32n).toString(16).toUpperCase()}/${(lsn & 0xffffffffn).toString(16).toUpperCase()}`;
}

/** Bytes of WAL between two positions; never negative, since a position read later may be ahead. */
export function lagBytes(ahead: bigint, behind: bigint): number {
  return ahead > behind ? Number(ahead - behind) : 0;
}
