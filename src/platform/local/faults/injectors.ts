/** The table of faults: who injects which. */
import type { Injector, Injectors } from './injector.ts';

/** For what cannot be injected on this machine yet. */
const notYet: Injector = {
  async obstacle(fault) {
    return `${fault.kind} cannot be injected on this machine yet`;
  },
  async prepare(fault) {
    throw new Error(`${fault.kind} has no injector`);
  },
};

export const INJECTORS: Injectors = {
  signal: notYet,
  'kill-server': notYet,
  'hold-down': notYet,
  'kill-control-plane': notYet,
  'power-off': notYet,
  freeze: notYet,
  cut: notYet,
  'link-down': notYet,
  'forget-connections': notYet,
  'fill-volume': notYet,
  'lose-data': notYet,
  'pause-replay': notYet,
  promote: notYet,
  'power-off-all': notYet,
};
