const binary: Record<string, bigint> = {
  Ki: 2n ** 10n,
  Mi: 2n ** 20n,
  Gi: 2n ** 30n,
  Ti: 2n ** 40n,
  Pi: 2n ** 50n,
  Ei: 2n ** 60n,
};

/** Powers of ten of the decimal suffixes. */
const decimal: Record<string, number> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };

const syntax = /^([+-]?)(\d{1,30})?(?:\.(\d{0,30}))?(?:([KMGTPE]i)|([numkMGTPE])|[eE]([+-]?\d{1,2}))?$/;

/**
 * Reads a Kubernetes quantity (`100m`, `0.5`, `10Gi`, `1e3`) as thousandths, rounded up as Kubernetes does.
 * Thousandths are the finest unit any field of the format uses (cpu). Undefined when it is no quantity.
 */
export function parseMilli(text: string): bigint | undefined {
  const match = syntax.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', binarySuffix, decimalSuffix = '', exponent] = match;
  if (whole === '' && fraction === '') return undefined;
  const digits = BigInt(whole + fraction);
  let power = 3 - fraction.length;
  let factor = 1n;
  if (binarySuffix !== undefined) factor = binary[binarySuffix] ?? 1n;
  else power += exponent === undefined ? (decimal[decimalSuffix] ?? 0) : Number(exponent);
  const magnitude =
    power >= 0 ? digits * factor * 10n ** BigInt(power) : ceilDivide(digits * factor, 10n ** BigInt(-power));
  return sign === '-' ? -magnitude : magnitude;
}

/** A cpu quantity in millicores: `1` is 1000, `100m` is 100. Undefined when it is none, or does not fit. */
export function parseCpuMillis(text: string): number | undefined {
  return toSafeNumber(parseMilli(text));
}

/** A memory or storage quantity in bytes, rounded up to whole ones. Undefined when it is none, or does not fit. */
export function parseBytes(text: string): number | undefined {
  const milli = parseMilli(text);
  return milli === undefined ? undefined : toSafeNumber(ceilDivide(milli, 1000n));
}

/** The shortest exact way to write bytes as a quantity: 1073741824 is `1Gi`. */
export function formatBytes(bytes: number): string {
  for (const [suffix, factor] of Object.entries(binary).reverse()) {
    const size = Number(factor);
    if (bytes !== 0 && bytes % size === 0) return `${bytes / size}${suffix}`;
  }
  return String(bytes);
}

/** Millicores as a quantity: 1500 is `1500m`, 2000 is `2`. */
export function formatCpuMillis(millis: number): string {
  return millis % 1000 === 0 ? String(millis / 1000) : `${millis}m`;
}

function ceilDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value > 0n && value % by !== 0n ? quotient + 1n : quotient;
}

function toSafeNumber(value: bigint | undefined): number | undefined {
  if (
    value === undefined ||
    value > BigInt(Number.MAX_SAFE_INTEGER) ||
    value < -BigInt(Number.MAX_SAFE_INTEGER)
  ) {
    return undefined;
  }
  return Number(value);
}
