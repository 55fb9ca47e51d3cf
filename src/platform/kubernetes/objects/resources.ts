import { formatBytes, formatCpuMillis } from '../../../core/manifest/quantity.ts';
import type { ResourcesSpec } from '../../../core/manifest/spec.ts';
import type { KubernetesPart } from '../../../core/manifest/specKubernetes.ts';

/** Requests and limits of a container; `extra` has quantities by resource name, such as huge pages. */
export function containerResources(
  { requests, limits }: ResourcesSpec,
  extra: { requests: Record<string, string>; limits: Record<string, string> } = { requests: {}, limits: {} },
): KubernetesPart {
  const amounts = ({ cpuMillis, memoryBytes }: ResourcesSpec['limits']) => ({
    cpu: formatCpuMillis(cpuMillis),
    memory: formatBytes(memoryBytes),
  });
  return {
    requests: { ...amounts(requests), ...extra.requests },
    limits: { ...amounts(limits), ...extra.limits },
  };
}
