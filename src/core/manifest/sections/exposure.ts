import { z } from 'zod';
import type { Findings } from '../findings.ts';
import type { SpecSource } from '../schemaSpec.ts';
import type { EndpointName } from '../spec.ts';

const cidr4 = z.cidrv4();
const cidr6 = z.cidrv6();

/** Endpoints that the manifest wants reachable from outside, by load balancer or node port. */
export function readExposed(spec: SpecSource, findings: Findings): Record<EndpointName, boolean> {
  const primary = pick('enableMasterLoadBalancer', 'useLoadBalancer', spec, findings);
  const standby = pick('enableReplicaLoadBalancer', 'replicaLoadBalancer', spec, findings);
  return {
    primary: primary || (spec.enableMasterNodePort ?? false),
    standby: standby || (spec.enableReplicaNodePort ?? false),
    pooler: (spec.enableMasterPoolerLoadBalancer ?? false) || (spec.enableMasterPoolerNodePort ?? false),
    poolerStandby:
      (spec.enableReplicaPoolerLoadBalancer ?? false) || (spec.enableReplicaPoolerNodePort ?? false),
  };
}

type Flag =
  | 'enableMasterLoadBalancer'
  | 'enableReplicaLoadBalancer'
  | 'useLoadBalancer'
  | 'replicaLoadBalancer';

function pick(name: Flag, alias: Flag, spec: SpecSource, findings: Findings): boolean {
  const value = spec[name];
  const older = spec[alias];
  if (value != null && older != null && value !== older) {
    findings.error(['spec', alias], {
      code: 'contradiction',
      message: `${alias} is the older name of ${name}, and says the opposite`,
      hint: `delete ${alias}`,
    });
  }
  return value ?? older ?? false;
}

/** The networks that may connect, as written. Empty means loopback only. */
export function readSourceRanges(spec: SpecSource, findings: Findings): string[] {
  const ranges = spec.allowedSourceRanges ?? [];
  ranges.forEach((range, index) => {
    const path = ['spec', 'allowedSourceRanges', index];
    if (!isCidr(range)) {
      findings.error(path, {
        code: 'wrong-range',
        message: `${JSON.stringify(range)} is no network`,
        hint: rangeHint(range),
      });
    } else if (/\/0+$/.test(range)) {
      findings.warn(path, {
        code: 'open-to-all',
        message: `${range} lets every address connect`,
        hint: 'name the networks of your clients, such as 10.0.0.0/8; a password and TLS are asked for in any case',
      });
    }
  });
  return ranges;
}

/** IPv4 or IPv6 network in CIDR notation. */
export function isCidr(text: string): boolean {
  return cidr4.safeParse(text).success || cidr6.safeParse(text).success;
}

function rangeHint(range: string): string {
  const trimmed = range.trim();
  if (trimmed !== range && isCidr(trimmed)) return `remove the blanks: ${trimmed}`;
  if (isCidr(`${trimmed}/32`)) return `one address is ${trimmed}/32`;
  if (isCidr(`${trimmed}/128`)) return `one address is ${trimmed}/128`;
  return 'write address/bits: 10.0.0.0/8, 192.168.1.20/32, fd00::/8';
}
