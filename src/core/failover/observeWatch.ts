import type { Key, Sign, Vantage, Watch } from './evidence.ts';
import type { Sample } from './sample.ts';
import { capped, extend, type Look } from './streak.ts';
import type { Thresholds } from './thresholds.ts';

/**
 * One look at the primary. A probe's outcome is news only if it ended after the look before (`previousAt`): an old
 * success is no sign of life.
 */
export function observeWatch(
  before: Watch,
  sample: Sample,
  look: Look,
  previousAt: number,
  key: Key,
  thresholds: Readonly<Thresholds>,
): Watch {
  const aimed = sample.member === before.member ? sample : undefined;
  let watch: Watch = { ...before };
  if (aimed !== undefined) {
    watch = observeLink(watch, aimed, look);
    watch = observeProcess(watch, aimed, look);
    const slow = capped(look, thresholds.gapMs);
    watch = observeService(watch, aimed, slow);
    watch = observePatroni(watch, aimed, slow);
    watch = { ...watch, vantages: observeVantages(watch.vantages, aimed, look) };
    const alive = signOfPostgres(before, aimed, look, previousAt);
    watch.alive = alive ?? watch.alive;
    watch.seen = alive ?? signOfHost(before, aimed, look, previousAt, key) ?? watch.seen;
  }
  watch.unseen = observeUnseen(watch, aimed, look, thresholds.unseenLateMs);
  if (!look.timely) watch.quiet = undefined;
  const doubt = inDoubt(watch, thresholds.doubtMs);
  watch.doubtSince = doubt ? (watch.doubtSince ?? look.at) : undefined;
  if (!doubt) watch.vantages = {};
  return watch;
}

function observeLink(watch: Watch, { link }: Sample, look: Look): Watch {
  if (link === undefined) return watch;
  if (link.state === 'answered') {
    const { takesWrites } = link;
    return { ...watch, link: 'answered', answeredAt: look.at, takesWrites, quiet: undefined };
  }
  return { ...watch, link: link.state, quiet: look.timely ? extend(watch.quiet, look) : undefined };
}

function observeProcess(watch: Watch, { process, link }: Sample, look: Look): Watch {
  if (process === undefined) return watch;
  const same = watch.process?.state === process;
  const next = { state: process, since: same ? (watch.process?.since ?? look.at) : look.at, at: look.at };
  const running = process === 'running';
  let gone = watch.gone;
  if (running || link?.state === 'answered') gone = undefined;
  else if (process === 'gone' && look.timely) gone = extend(gone, look);
  return { ...watch, process: next, gone, woken: watch.woken && !running };
}

function observeService(watch: Watch, { newConnection, commit }: Sample, look: Look): Watch {
  let { loginsFail } = watch;
  if (newConnection?.succeeded === true) loginsFail = undefined;
  else if (newConnection !== undefined) loginsFail = extend(loginsFail, look, newConnection.endedAt);
  if (commit === undefined) return { ...watch, loginsFail };
  if (commit.state === 'finished') return { ...watch, loginsFail, commit: undefined };
  const before = watch.commit?.since === commit.since ? watch.commit.stalled : undefined;
  return { ...watch, loginsFail, commit: { since: commit.since, stalled: extend(before, look) } };
}

function observePatroni(watch: Watch, { patroni }: Sample, look: Look): Watch {
  if (patroni === undefined) return watch;
  if (!patroni.answered) {
    return { ...watch, patroniSilent: extend(watch.patroniSilent, look, patroni.endedAt) };
  }
  return {
    ...watch,
    patroniSilent: undefined,
    patroniAnsweredAt: patroni.endedAt,
    failsafeAt: patroni.failsafe ? patroni.endedAt : undefined,
  };
}

function observeVantages(
  vantages: Watch['vantages'],
  { vantages: attempts = [] }: Sample,
  look: Look,
): Watch['vantages'] {
  const next: Record<string, Vantage> = { ...vantages };
  for (const { from, reached } of attempts) {
    const before = next[from] ?? { answeredAt: undefined, failures: 0, failedAt: undefined };
    if (reached === undefined) continue;
    if (reached) next[from] = { answeredAt: look.at, failures: 0, failedAt: undefined };
    else if (look.timely) {
      next[from] = { answeredAt: look.at, failures: before.failures + 1, failedAt: look.at };
    } else next[from] = { ...before, answeredAt: look.at };
  }
  return next;
}

/** PostgreSQL itself did something. */
function signOfPostgres(before: Watch, sample: Sample, { at }: Look, previousAt: number): Sign | undefined {
  const { link, newConnection, commit } = sample;
  if (link?.state === 'answered') return { by: 'its session', at };
  if (newConnection?.succeeded === true && newConnection.endedAt > previousAt) return { by: 'a login', at };
  const ended = before.commit !== undefined && commit !== undefined;
  if (ended && (commit.state === 'finished' || commit.since !== before.commit?.since)) {
    return { by: 'a commit', at };
  }
  return undefined;
}

/** The host, or something on it, did something. */
function signOfHost(
  before: Watch,
  sample: Sample,
  { at }: Look,
  previousAt: number,
  key: Key,
): Sign | undefined {
  const reached = sample.vantages?.find(vantage => vantage.reached === true);
  if (reached !== undefined) return { by: reached.from, at };
  if (sample.process === 'running') return { by: 'its own host', at };
  if (sample.patroni?.answered === true && sample.patroni.endedAt > previousAt) return { by: 'Patroni', at };
  if (before.unseen === undefined || key.holder?.name !== before.member) return undefined;
  const renewedAt = key.holder.leaseEndsAt - key.holder.ttlMs;
  return renewedAt > before.unseen.since ? { by: 'the renewal of its lease', at } : undefined;
}

/** A sign of life in this look begins the silence anew, and so does a look that came late. */
function observeUnseen(watch: Watch, aimed: Sample | undefined, look: Look, lateMs: number): Watch['unseen'] {
  if (!look.timely) return undefined;
  if (aimed?.link === undefined) return watch.unseen;
  if (watch.seen?.at === look.at) return undefined;
  // Late by its own account, or because whoever looks stood still between two looks.
  const late = Math.max(aimed.ownLateMs, look.gapMs - (aimed.paceMs ?? look.gapMs));
  const overtime = Math.max(0, late - lateMs);
  return extend(watch.unseen, { ...look, gapMs: Math.max(0, look.gapMs - overtime) });
}

function inDoubt(watch: Watch, doubtMs: number): boolean {
  return (
    watch.quiet !== undefined ||
    watch.gone !== undefined ||
    watch.loginsFail !== undefined ||
    (watch.commit?.stalled?.heldMs ?? 0) >= doubtMs ||
    (watch.patroniSilent?.heldMs ?? 0) >= doubtMs
  );
}
