/** The table of faults: who injects which. */
import { freeze, powerOff } from './hosts.ts';
import type { Injectors } from './injector.ts';
import { powerOffAll } from './machine.ts';
import { cut, forgetConnections, linkDown } from './network.ts';
import { deletePod } from './pods.ts';
import { loseData, pauseReplay, promote } from './postgres.ts';
import { breakRepository } from './repository.ts';
import { signals } from './signals.ts';
import { holdDown, killControlPlane, killServer } from './supervised.ts';
import { fillVolume, freezeVolume } from './volume.ts';

export const INJECTORS: Injectors = {
  signal: signals,
  'kill-server': killServer,
  'hold-down': holdDown,
  'kill-control-plane': killControlPlane,
  'power-off': powerOff,
  freeze,
  cut,
  'link-down': linkDown,
  'forget-connections': forgetConnections,
  'fill-volume': fillVolume,
  'freeze-volume': freezeVolume,
  'lose-data': loseData,
  'pause-replay': pauseReplay,
  promote,
  'delete-pod': deletePod,
  'power-off-all': powerOffAll,
  'break-repository': breakRepository,
};
