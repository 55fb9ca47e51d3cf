import { RefusedError } from '../../../lib/errors.ts';
import type { FaultOf, Injector } from './injector.ts';

const NO_PODS = 'a member on one machine is no pod: take postmaster-killed (A1) or host-lost (B1)';

export const deletePod: Injector<FaultOf<'delete-pod'>> = {
  obstacle: async () => NO_PODS,
  prepare: async () => {
    throw new RefusedError({ code: 'no-such-fault', message: NO_PODS });
  },
};
