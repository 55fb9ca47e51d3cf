/** What drills do with backups: each by the same functions as the commands. */
import type { Rehearsal } from '../../core/drill/scenario.ts';
import { messageOf, PgherdError } from '../../lib/errors.ts';
import { catchUp, notice } from './archive.ts';
import { killBackup } from './backup.ts';
import { clone } from './clone.ts';
import { findDamage, prove } from './proof.ts';
import type { RehearsalStage, Rehearsed } from './stage.ts';
import { loseTable } from './table.ts';
import { refuseTargets } from './targets.ts';

const REHEARSALS: Record<Rehearsal, (stage: RehearsalStage) => Promise<Rehearsed>> = {
  'lose-table': loseTable,
  notice,
  'catch-up': catchUp,
  'find-damage': findDamage,
  prove,
  'kill-backup': killBackup,
  'refuse-targets': refuseTargets,
  clone,
};

/** Rejects only when aborted: what fails is what the drill found. */
export async function rehearse(what: Rehearsal, stage: RehearsalStage): Promise<Rehearsed> {
  try {
    return await REHEARSALS[what](stage);
  } catch (error) {
    stage.context.signal.throwIfAborted();
    const detail = error instanceof PgherdError && error.detail !== undefined ? ` (${error.detail})` : '';
    return { notes: [], broken: [`${what}: ${messageOf(error)}${detail}`] };
  }
}
