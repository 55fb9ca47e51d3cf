import type { Step } from './action.ts';
import type { Situation } from './situation.ts';

export function planCatalog(_situation: Situation): Step[] {
  return [];
}
