import { beginWatch, type Evidence, type Key, type Watch } from './evidence.ts';
import { observeWatch } from './observeWatch.ts';
import type { LeaderRead, Sample } from './sample.ts';
import { extend, type Look } from './streak.ts';
import { defaultThresholds, type Thresholds } from './thresholds.ts';

/**
 * What is known after one more look. Pure. Bad news of a late look does not count (it may be the sentinel's own fault),
 * good news always does. A sample older than the last look counts as one of the same moment, and as late.
 */
export function observe(
  memory: Evidence,
  sample: Sample,
  thresholds: Readonly<Thresholds> = defaultThresholds,
): Evidence {
  const at = Math.max(sample.at, memory.at);
  const gapMs = at - memory.at;
  const mostMs = Math.max(thresholds.gapMs, (sample.paceMs ?? 0) + thresholds.timelyMs);
  const timely = sample.ownLateMs <= thresholds.timelyMs && gapMs <= mostMs && sample.at >= memory.at;
  const look: Look = { at, timely, gapMs };
  const key = observeKey(memory.key, sample.leader);
  const watch = watchOf(memory.watch, key, look);
  const seen =
    watch === undefined ? undefined : observeWatch(watch, sample, look, memory.at, key, thresholds);
  const writable = seen?.link === 'answered' && seen.takesWrites === true;
  return {
    ...memory,
    at,
    timely,
    setting: sample.setting,
    key,
    sync: sample.sync === undefined ? memory.sync : { ...sample.sync, at },
    watch: seen,
    strays: observeStrays(memory.strays, sample.strays, look),
    gaveUp: memory.gaveUp && !writable,
    fences: observeFences(memory.fences, sample.fenced),
  };
}

/**
 * Each answer gives a lower bound of the lease's end (asked at t, r left: not before t + r), and a lease never gets
 * shorter: the greatest bound is the best one, and it rises when the lease is renewed.
 */
function observeKey(key: Key, read: LeaderRead | undefined): Key {
  switch (read?.state) {
    case undefined:
      return key;
    case 'unreadable':
      return { ...key, state: 'unreadable' };
    case 'none':
      return { ...key, state: 'none', sentAt: read.sentAt };
    case 'held': {
      const { name, revision, ttlMs, sentAt } = read;
      const bound = sentAt + read.leaseRemainingMs;
      const before = key.holder;
      const same = before !== undefined && before.name === name && before.revision === revision;
      const leaseEndsAt = same ? Math.max(before.leaseEndsAt, bound) : bound;
      return { state: 'held', sentAt, holder: { name, revision, leaseEndsAt, ttlMs } };
    }
  }
}

/** The same watch while the key stays with its holder, also while nobody holds it. */
function watchOf(watch: Watch | undefined, key: Key, look: Look): Watch | undefined {
  if (key.state !== 'held' || key.holder === undefined) return watch;
  const { name, revision } = key.holder;
  if (watch?.member === name && watch.revision === revision) return watch;
  return beginWatch(name, revision, look.at);
}

function observeStrays(
  strays: Evidence['strays'],
  reported: readonly string[] | undefined,
  look: Look,
): Evidence['strays'] {
  if (reported === undefined || !look.timely) return strays;
  return Object.fromEntries(reported.map(name => [name, extend(strays[name], look)]));
}

function observeFences(fences: Evidence['fences'], report: Sample['fenced']): Evidence['fences'] {
  const fence = report === undefined ? undefined : fences[report.member];
  if (report === undefined || fence === undefined) return fences;
  return { ...fences, [report.member]: { ...fence, sent: report.sent } };
}
