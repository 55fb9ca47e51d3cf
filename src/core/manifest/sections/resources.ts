import type { Findings } from '../findings.ts';
import type { Path } from '../path.ts';
import { formatBytes, formatCpuMillis, parseBytes, parseCpuMillis, parseMilli } from '../quantity.ts';
import type { ResourcesSource } from '../schemaSpec.ts';
import type { ResourcesSpec } from '../spec.ts';

const mebibyte = 2 ** 20;

/** The format's defaults for one PostgreSQL instance. */
export const instanceDefaults: ResourcesSpec = {
  requests: { cpuMillis: 100, memoryBytes: 100 * mebibyte },
  limits: { cpuMillis: 1000, memoryBytes: 500 * mebibyte },
};

/** The format's defaults for one pooler process. */
export const poolerDefaults: ResourcesSpec = {
  requests: { cpuMillis: 500, memoryBytes: 100 * mebibyte },
  limits: { cpuMillis: 1000, memoryBytes: 100 * mebibyte },
};

/** The format takes these for "the default", like an absent value. */
const asDefault = new Set(['', '0', 'null']);

/** Amounts in millicores and bytes. A limit below its request is raised to it, as the format says, with a warning. */
export function readResources(
  source: ResourcesSource | null | undefined,
  defaults: ResourcesSpec,
  path: Path,
  findings: Findings,
): ResourcesSpec {
  const amount = (side: 'requests' | 'limits', kind: 'cpu' | 'memory', fallback: number): number => {
    const text = source?.[side]?.[kind] ?? '';
    if (asDefault.has(text)) return fallback;
    return readQuantity(text, kind, [...path, side, kind], findings) ?? fallback;
  };
  const requests = {
    cpuMillis: amount('requests', 'cpu', defaults.requests.cpuMillis),
    memoryBytes: amount('requests', 'memory', defaults.requests.memoryBytes),
  };
  const limits = {
    cpuMillis: amount('limits', 'cpu', defaults.limits.cpuMillis),
    memoryBytes: amount('limits', 'memory', defaults.limits.memoryBytes),
  };
  if (limits.cpuMillis < requests.cpuMillis) {
    warnRaised(
      [...path, 'limits', 'cpu'],
      formatCpuMillis(limits.cpuMillis),
      formatCpuMillis(requests.cpuMillis),
      findings,
    );
  }
  if (limits.memoryBytes < requests.memoryBytes) {
    warnRaised(
      [...path, 'limits', 'memory'],
      formatBytes(limits.memoryBytes),
      formatBytes(requests.memoryBytes),
      findings,
    );
  }
  return {
    requests,
    limits: {
      cpuMillis: Math.max(limits.cpuMillis, requests.cpuMillis),
      memoryBytes: Math.max(limits.memoryBytes, requests.memoryBytes),
    },
  };
}

/** Reads a quantity that must be more than nothing; reports it and returns undefined when it is not. */
export function readQuantity(
  text: string,
  kind: 'cpu' | 'memory' | 'storage',
  path: Path,
  findings: Findings,
): number | undefined {
  const amount = kind === 'cpu' ? parseCpuMillis(text) : parseBytes(text);
  if (amount === undefined) {
    findings.error(path, {
      code: 'wrong-quantity',
      message: `${JSON.stringify(text)} is no quantity of ${kind}`,
      hint: quantityHint(text, kind),
    });
    return undefined;
  }
  if (amount <= 0) {
    findings.error(path, {
      code: 'out-of-range',
      message: `${JSON.stringify(text)} is not more than nothing`,
      hint: `write an amount like ${kind === 'cpu' ? '500m' : '500Mi'}${kind === 'storage' ? '' : ', or delete the line for the default'}`,
    });
    return undefined;
  }
  // `100m` of memory is a tenth of a byte: what was meant is 100M or 100Mi.
  const milli = parseMilli(text) ?? 0n;
  if (kind !== 'cpu' && milli % 1000n !== 0n) {
    findings.error(path, {
      code: 'wrong-quantity',
      message: `${JSON.stringify(text)} is not a whole number of bytes`,
      hint: /^\d+m$/.test(text)
        ? `\`m\` means thousandths: write ${text.slice(0, -1)}Mi`
        : 'write whole bytes, or a unit like Mi or Gi',
    });
    return undefined;
  }
  return amount;
}

function quantityHint(text: string, kind: 'cpu' | 'memory' | 'storage'): string {
  const compact = text.replaceAll(/\s/g, '');
  const unit = /^(\d+(?:\.\d+)?)([kmgtpe])i?b?$/i.exec(compact);
  if (kind !== 'cpu' && unit !== null)
    return `did you mean ${unit[1]}${unit[2]?.toUpperCase()}i? Units are Ki, Mi, Gi, Ti`;
  return kind === 'cpu'
    ? 'write cores (`"1"`, `"0.5"`) or thousandths of one (`500m`)'
    : 'write a number with a unit: 500Mi, 10Gi';
}

function warnRaised(path: Path, limit: string, request: string, findings: Findings): void {
  findings.warn(path, {
    code: 'limit-raised',
    message: `the limit ${limit} is below the request ${request}`,
    hint: `the limit counts as ${request}; write that, or lower the request`,
  });
}
