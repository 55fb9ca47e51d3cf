import type { KubernetesPart } from '../../../core/manifest/specKubernetes.ts';

/** Pod Security "restricted", for the whole pod. */
export function podSecurity(user: number, group: number, fsGroup: number): KubernetesPart {
  return {
    runAsNonRoot: true,
    runAsUser: user,
    runAsGroup: group,
    fsGroup,
    // Without it the kubelet walks the whole data volume each time a pod starts.
    fsGroupChangePolicy: 'OnRootMismatch',
    seccompProfile: { type: 'RuntimeDefault' },
  };
}

/** The same, for containers that the manifest brings: what it writes itself wins. */
export const restricted: KubernetesPart = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
};

/** For containers of ours. */
export const locked: KubernetesPart = { ...restricted, readOnlyRootFilesystem: true };
