import type { Step } from './action.ts';
import { type ConfigChange, describeChanges, diffConfig } from './configDiff.ts';
import { type Situation, whoIsUnwell, whyOnlyStarts } from './situation.ts';
import { sameValue } from './values.ts';

/** The patch of Patroni's dynamic configuration, and those of its changes that need a restart of the members. */
export function planConfig(situation: Situation): { steps: Step[]; restartNeeded: ConfigChange[] } {
  const { observed, desired } = situation;
  if (observed.config === undefined) return { steps: [], restartNeeded: [] };
  const { patch, changes } = diffConfig(observed.config, desired.config);
  if (changes.length === 0) return { steps: [], restartNeeded: [] };
  const restartParameters = new Set(observed.catalog?.restartParameters);
  const restartNeeded = changes.filter(({ name, parameter }) => parameter && restartParameters.has(name));
  const turnsSynchronous = changes.some(({ name }) => name.startsWith('synchronous_'));
  const unseen = observed.catalog === undefined && changes.some(({ parameter }) => parameter);
  return {
    steps: [
      {
        action: { kind: 'configure', patch },
        summary: `change ${describeChanges(changes)}`,
        reason: unseen
          ? 'the manifest asks for it; whether a restart is needed could not be seen'
          : 'the manifest asks for it',
        impact: turnsSynchronous ? 'stall' : 'none',
        blockedBy: whyOnlyStarts(situation) ?? whyNotStrict(situation, changes),
      },
    ],
    restartNeeded,
  };
}

/** Strict mode turned on without a standby would stop every write. */
function whyNotStrict(situation: Situation, changes: ConfigChange[]): string | undefined {
  const turnsStrict = changes.some(
    ({ name, to }) => name === 'synchronous_mode_strict' && sameValue(to, true),
  );
  const turnsOn = changes.some(({ name, to }) => name === 'synchronous_mode' && sameValue(to, true));
  if (situation.spec.patroni.synchronousMode !== 'strict' || !(turnsStrict || turnsOn)) return undefined;
  return whoIsUnwell(situation, undefined);
}
