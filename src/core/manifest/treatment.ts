import type { JsonValue } from './yamlTree.ts';

/** How a platform treats a field. `says` completes the sentence that a person reads, in docs and in warnings. */
export interface Treatment {
  how: 'acted' | 'warned' | 'refused';
  /** acted: what is done. warned: what happens instead. refused: why. */
  says: string;
  /** refused: the remedy. */
  hint?: string;
  /** Values that ask for nothing special: no finding for them. */
  harmless?: readonly JsonValue[];
}

export const acted = (says: string): Treatment => ({ how: 'acted', says });
export const warned = (says: string, harmless: Treatment['harmless'] = []): Treatment => ({
  how: 'warned',
  says,
  harmless,
});
export const refused = (says: string, hint: string): Treatment => ({ how: 'refused', says, hint });

/** On one machine. */
export const noClone = refused(
  'this version copies no clusters, and would create an empty one instead',
  'delete `clone` for a new, empty cluster, and load a dump into it',
);
/** On neither platform. */
export const noStandby = refused(
  'this version follows no other cluster, and would create an empty one that takes writes instead',
  'delete `standby` for a cluster of its own',
);
