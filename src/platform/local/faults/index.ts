/** Faults on this machine: signals to processes, rules of packet filters, filled volumes; each with its undo. */
import type { Fault } from '../../../core/drill/fault.ts';
import { RefusedError } from '../../../lib/errors.ts';
import type { ApplyContext, Faults, Injection, RegisteredFault } from '../../contract.ts';
import type { ClientPool } from '../clients.ts';
import type { Paths } from '../layout.ts';
import type { ClusterRecord } from '../record.ts';

export interface FaultInput {
  paths: Paths;
  record: ClusterRecord;
  clients: ClientPool;
}

export class LocalFaults implements Faults {
  readonly #input: FaultInput;

  constructor(input: FaultInput) {
    this.#input = input;
  }

  async obstacle(fault: Fault): Promise<string | undefined> {
    return `${fault.kind} cannot be injected into ${this.#input.record.name} yet`;
  }

  async inject(fault: Fault, _signal: AbortSignal): Promise<Injection> {
    throw new RefusedError({ code: 'no-such-fault', message: `${fault.kind} cannot be injected yet` });
  }

  async registered(): Promise<RegisteredFault[]> {
    return [];
  }

  async undo(_which: 'all' | 'orphaned', _context: ApplyContext): Promise<string[]> {
    return [];
  }
}
