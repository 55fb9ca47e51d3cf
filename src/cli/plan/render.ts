import type { Impact, Step } from '../../core/plan/action.ts';
import { head, stepDocument } from '../documents.ts';
import { noteLines, warningLines } from '../findings.ts';
import type { PlanDocument } from '../schema.ts';
import type { Session } from '../session.ts';
import type { Look } from '../text/look.ts';
import { count } from '../text/units.ts';
import type { PlanOutcome } from './handler.ts';

/** What clients notice, in words. */
const IMPACTS: Readonly<Record<Impact, string>> = {
  none: 'notice nothing',
  stall: 'wait for a moment, nothing fails',
  interruption: 'sessions of one server are cut',
  removal: 'notice nothing; a data directory is set aside, not deleted',
};

/** The plan as JSON. */
export function planToDocument(outcome: PlanOutcome): PlanDocument {
  return {
    ...head(outcome.ref),
    changes: outcome.steps.length > 0,
    creates: outcome.creates,
    steps: outcome.steps.map(stepDocument),
    waiting: outcome.waiting,
    warnings: outcome.manifest.warnings,
    notes: outcome.notes,
  };
}

/** Numbered steps with reason and impact. */
export function planText(outcome: PlanOutcome, session: Session): string {
  const { ref, steps, waiting, manifest, observed, notes } = outcome;
  const { look } = session;
  const name = look.strong(ref.name);
  const lines: string[] = [];
  if (steps.length === 0 && waiting.length === 0) {
    const streaming = observed.members.filter(
      member => member.state === 'streaming' || member.role === 'primary',
    );
    lines.push(`${name}: nothing to change: ${count(streaming.length, 'member')} streaming`);
  } else {
    const what = outcome.creates ? 'would be created' : 'would be changed';
    lines.push(
      steps.length === 0
        ? `${name}: nothing to change`
        : `${name} ${what} in ${count(steps.length, 'step')}:`,
    );
    lines.push(...stepLines(steps, look));
    if (steps.length > 0 && steps.every(step => step.impact === 'none'))
      lines.push('Clients notice nothing.');
    lines.push(...waiting.map(text => `  ${look.faint(`waits: ${text}`)}`));
  }
  lines.push(...noteLines(notes, look, session.output.proseColumns), ...warningLines(manifest, look));
  if (steps.length > 0) lines.push('', `${look.strong('Next')}\n  ${session.command(['up', manifest.file])}`);
  return lines.join('\n');
}

function stepLines(steps: readonly Step[], look: Look): string[] {
  const width = String(steps.length).length;
  const indent = ' '.repeat(width + 4);
  return steps.flatMap(({ summary, reason, impact, blockedBy }, i) => [
    `  ${String(i + 1).padStart(width)}. ${summary} ${look.faint(`(${reason})`)}`,
    ...(impact === 'none' ? [] : [`${indent}${look.caution(`clients: ${IMPACTS[impact]}`)}`]),
    ...(blockedBy === undefined ? [] : [`${indent}${look.faint(`waits: ${blockedBy}`)}`]),
  ]);
}
