import { seconds } from './accusations.ts';
import type { Decision } from './decision.ts';
import type { Evidence, Watch } from './evidence.ts';
import type { Facts } from './facts.ts';
import { outside } from './sample.ts';
import type { Thresholds } from './thresholds.ts';

/** Whoever pauses, maintains or operates on the cluster leads its poolers as well. */
function handsOff({ setting }: Evidence): boolean {
  return setting.paused || setting.maintenance || setting.operation !== undefined;
}

/** Its host says that the process is gone; or the kernel closed our session, and no word says that it runs. */
function ended({ link, process, gone }: Watch): boolean {
  if (process?.state === 'gone') return gone !== undefined;
  return link === 'closed' && process?.state !== 'running';
}

/**
 * At most one of hold and resume. A hold needs two silent looks or the end of the process, harms nobody and so has few
 * vetoes; it ends with a primary that takes writes or at its limit, also in a late look and under an operation.
 */
export function holdOrResume(
  evidence: Evidence,
  thresholds: Readonly<Thresholds>,
  facts: Facts,
  fencesPrimary: boolean,
): Decision[] {
  const { hold, at } = evidence;
  if (hold !== undefined) {
    const why = at >= hold.untilAt ? 'limit' : writable(evidence, thresholds) ? 'writable' : undefined;
    if (why === undefined) return [];
    const held = `clients were held for ${seconds(at - hold.since)}`;
    const cause =
      why === 'limit' ? 'no primary came within the limit' : `${evidence.watch?.member} takes writes`;
    return [{ kind: 'resume', why, reason: `${held}: ${cause}`, evidence: facts }];
  }
  if (evidence.gaveUp || !evidence.timely || handsOff(evidence)) return [];
  const reason = fencesPrimary
    ? `${evidence.watch?.member} is about to be fenced`
    : holdReason(evidence, thresholds);
  if (reason === undefined) return [];
  return [{ kind: 'hold', untilAt: at + thresholds.holdLimitMs, reason, evidence: facts }];
}

function holdReason(evidence: Evidence, thresholds: Readonly<Thresholds>): string | undefined {
  const { watch, at } = evidence;
  const { holdMs, minProbes } = thresholds;
  if (watch === undefined) return undefined;
  if (ended(watch)) return `PostgreSQL of ${watch.member} has ended`;
  if (watch.quiet === undefined || served(evidence, thresholds)) return undefined;
  const silentMs = at - (watch.answeredAt ?? watch.quiet.since);
  if (silentMs < holdMs || watch.quiet.looks < minProbes) return undefined;
  return `${watch.member} has not answered for ${seconds(silentMs)}`;
}

/** The holder of the key serves clients, and is not the one whose kill is still to show. */
function writable(evidence: Evidence, thresholds: Readonly<Thresholds>): boolean {
  const { watch, key, fences, at } = evidence;
  if (watch === undefined || watch.takesWrites !== true || key.state === 'none') return false;
  const answers = watch.link === 'answered' && watch.answeredAt === at;
  if (!answers && !served(evidence, thresholds)) return false;
  const fence = fences[watch.member];
  const pending = fence !== undefined && fence.sent !== false && fence.at >= watch.since;
  return !pending || at - fence.at >= thresholds.fenceSettleMs;
}

/** Only the sentinel's own session is stuck: the address answers from outside, and PostgreSQL works. */
function served({ watch, at }: Evidence, { freshMs, vantageFreshMs }: Readonly<Thresholds>): boolean {
  if (watch?.quiet === undefined || watch.alive === undefined) return false;
  const view = watch.vantages[outside];
  const reached = view?.failures === 0 && at - (view.answeredAt ?? 0) <= vantageFreshMs;
  return reached && watch.alive.at > watch.quiet.since && at - watch.alive.at <= freshMs;
}

/** Once for each end of the process. */
export function wake(evidence: Evidence, facts: Facts): Decision[] {
  const { watch, timely } = evidence;
  if (watch === undefined || watch.woken || !timely || handsOff(evidence) || !ended(watch)) return [];
  // Patroni asks whether the process is there: woken too early it goes back to sleep for a round.
  if (watch.process?.state === 'ending') return [];
  const reason = `PostgreSQL of ${watch.member} has ended: Patroni need not wait for its next round to notice`;
  return [{ kind: 'wake', member: watch.member, reason, evidence: facts }];
}
