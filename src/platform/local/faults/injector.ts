/** What the faults of this machine have in common: the shape of an injector and what it may use. */
import type { Fault, FaultKind } from '../../../core/drill/fault.ts';
import type { ClientPool } from '../clients.ts';
import type { Paths } from '../layout.ts';
import type { ClusterRecord } from '../record.ts';
import type { UndoStep } from './schema.ts';

export interface FaultContext {
  stateDir: string;
  paths: Paths;
  record: ClusterRecord;
  clients: ClientPool;
  /** Starts the supervisor of the servers and the resident control plane again, unless they run. */
  reviveControlPlane(): Promise<void>;
}

export type FaultOf<K extends FaultKind> = Extract<Fault, { kind: K }>;

/** One kind of fault. Looking (`obstacle`, `prepare`) changes nothing. */
export interface Injector<F extends Fault = Fault> {
  /** Why it cannot be injected here now, a sentence with the remedy; undefined: it can. */
  obstacle(fault: F, context: FaultContext, signal: AbortSignal): Promise<string | undefined>;
  /**
   * Finds the victims and says what will be done and how it is undone. Rejects with a PgherdError when they
   * cannot be found. The steps are registered before `act` is called.
   */
  prepare(fault: F, context: FaultContext, signal: AbortSignal): Promise<Prepared>;
}

export interface Prepared {
  /** What is done, exactly: "SIGKILL to postmaster 4711 of demo-0". */
  description: string;
  /** Why it is weaker than the fault that was asked for; undefined: it is that fault. */
  weaker: string | undefined;
  /** In the order in which they are carried out. Must undo a half-done `act` as well. Empty: nothing stays broken. */
  undo: UndoStep[];
  /** Breaks it. Calls `done` after its first effect; may throw anything, the steps are carried out then. */
  act(done: () => void, signal: AbortSignal): Promise<void>;
}

export type Injectors = { [K in FaultKind]: Injector<FaultOf<K>> };
