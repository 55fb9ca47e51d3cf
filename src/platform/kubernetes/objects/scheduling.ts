import type { KubernetesPart } from '../../../core/manifest/specKubernetes.ts';
import type { ObjectsInput } from './input.ts';
import { defined } from './object.ts';

/**
 * Where the pods that `selector` selects may run: apart from each other, and as the manifest says. `spread`: the
 * manifest's topologySpreadConstraints, which are about members.
 */
export function scheduling(
  { spec, config }: ObjectsInput,
  selector: Record<string, string>,
  spread: KubernetesPart[] = [],
): KubernetesPart {
  const { kubernetes } = spec;
  const nodeAffinity = kubernetes.nodeAffinity;
  const podAntiAffinity = antiAffinity(config.spread, selector);
  const tolerations = kubernetes.tolerations ?? config.pods.tolerations;
  return defined({
    affinity:
      nodeAffinity === undefined && podAntiAffinity === undefined
        ? undefined
        : defined({ nodeAffinity, podAntiAffinity }),
    // A constraint without a selector counts no pods at all, and would have no effect.
    topologySpreadConstraints:
      spread.length === 0
        ? undefined
        : spread.map(constraint => ({ labelSelector: { matchLabels: selector }, ...constraint })),
    tolerations: tolerations.length === 0 ? undefined : tolerations,
    priorityClassName: kubernetes.priorityClassName ?? config.pods.priorityClassName,
    schedulerName: kubernetes.schedulerName ?? config.pods.schedulerName,
    imagePullSecrets:
      config.pods.imagePullSecrets.length === 0
        ? undefined
        : config.pods.imagePullSecrets.map(name => ({ name })),
  });
}

function antiAffinity(
  { antiAffinity: mode, topologyKey }: ObjectsInput['config']['spread'],
  selector: Record<string, string>,
): KubernetesPart | undefined {
  const term = { topologyKey, labelSelector: { matchLabels: selector } };
  if (mode === 'off') return undefined;
  return mode === 'required'
    ? { requiredDuringSchedulingIgnoredDuringExecution: [term] }
    : { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm: term }] };
}
