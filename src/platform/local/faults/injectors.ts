/** The table of faults: who injects which. */
import { freeze, powerOff } from './hosts.ts';
import type { Injector, Injectors } from './injector.ts';
import { powerOffAll } from './machine.ts';
import { loseData, pauseReplay, promote } from './postgres.ts';
import { signals } from './signals.ts';
import { holdDown, killControlPlane, killServer } from './supervised.ts';

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
  signal: signals,
  'kill-server': killServer,
  'hold-down': holdDown,
  'kill-control-plane': killControlPlane,
  'power-off': powerOff,
  freeze,
  cut: notYet,
  'link-down': notYet,
  'forget-connections': notYet,
  'fill-volume': notYet,
  'lose-data': loseData,
  'pause-replay': pauseReplay,
  promote,
  'power-off-all': powerOffAll,
};
