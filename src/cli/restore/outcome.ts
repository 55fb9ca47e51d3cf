import type { CutoverResult } from '../../backup/cutover.ts';
import type { LoadedDump } from '../../backup/load.ts';
import type { Restored } from '../../backup/restore.ts';
import type { BroughtTable } from '../../backup/tables.ts';
import type { ClusterRef, ScratchRecord } from '../../platform/contract.ts';

export type RestoreOutcome = { ref: ClusterRef; durationMs: number } & (
  | { action: 'restored'; restored: Restored }
  | { action: 'cutover'; result: CutoverResult }
  | { action: 'founded'; restored: Restored; from: ClusterRef | undefined }
  | { action: 'tables'; restored: Restored; tables: BroughtTable[] }
  | { action: 'loaded'; loaded: LoadedDump }
  | { action: 'listed'; waiting: ScratchRecord[] }
  | { action: 'discarded'; id: string }
);
