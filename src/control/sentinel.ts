/**
 * The sentinel of one cluster: looks at the primary, many times a second when in doubt, and carries
 * out what core/failover decides.
 * It holds no lease and is in nobody's way: killed, Patroni fails over by itself, only later.
 */
import { performance } from 'node:perf_hooks';
import type { Decision } from '../core/failover/decision.ts';
import { begin, type Evidence, type Legacy } from '../core/failover/evidence.ts';
import { legacyOf } from '../core/failover/legacy.ts';
import { look, taken } from '../core/failover/look.ts';
import type { Sample } from '../core/failover/sample.ts';
import { thresholdsFor } from '../core/failover/thresholds.ts';
import { modeOf } from '../core/topology/promise.ts';
import { messageOf } from '../lib/errors.ts';
import type { ClientHold, PlatformCluster, Sentinel, Sight } from '../platform/contract.ts';

/** Between two looks in doubt: while it is silent, and while it answers and only something slow is amiss. */
const DOUBT_MS = { silent: 50, slow: 100 };
/** What people do to the cluster matters in doubt and after a bell: then it is read at every look. */
const SIGHT_EVERY_MS = 5_000;

/**
 * Watches until the signal aborts. Never rejects; `report` gets a line for each trouble. `onResumed` is called when clients
 * go on after a hold: who is what has changed then, as a rule.
 */
export async function runSentinel(
  cluster: PlatformCluster,
  signal: AbortSignal,
  report: (line: string) => void,
  onResumed: () => void = () => {},
): Promise<void> {
  const mode = modeOf(cluster.spec);
  const thresholds = thresholdsFor(cluster.spec.patroni.loopWait);
  await using senses = cluster.sentinel();
  const hands = new Hands(cluster, senses, signal, report, onResumed);
  let sight = await senses.sight();
  let sightAt = now();
  let memory = begin(now(), setting(), await earlier(cluster));
  let planned = now();
  let rung = false;
  let paceMs = 0;

  function setting() {
    return { ...sight, mode, maintenance: false };
  }

  const alarm = new Alarm();
  while (!signal.aborted) {
    const doubt = inDoubt(memory);
    // Whoever operates on the cluster vetoes every act: probes would only slow it down.
    const busy = sight.operation !== undefined;
    const at = now();
    try {
      const aim = { member: memory.key.holder?.name, doubt, busy, onAlarm: alarm.ring };
      const stale = doubt || rung || at - sightAt > SIGHT_EVERY_MS;
      const [seen, told] = await Promise.all([
        // Known from this moment on: whatever is asked because of it was asked since.
        senses.sample(aim).then(found => ({ ...found, at: now() })),
        stale ? senses.sight() : sight,
      ]);
      sight = told;
      if (stale) sightAt = at;
      const sample: Sample = {
        ...seen,
        ownLateMs: Math.max(0, now() - planned),
        paceMs,
        setting: setting(),
        fenced: hands.takeFenced(),
      };
      const before: Evidence = hands.resumed ? resumedOf(memory) : memory;
      hands.resumed = false;
      const looked = look(before, sample, thresholds);
      memory = looked.memory;
      hands.carryOut(looked.decisions, memory);
    } catch (error) {
      if (!signal.aborted) report(messageOf(error));
    }
    paceMs = inDoubt(memory) ? paceOf(memory, sight) : senses.calmMs;
    planned = Math.max(now(), at + paceMs);
    rung = await alarm.wait(planned - now(), signal);
    planned = Math.min(planned, now());
  }
  await hands.release();
}

/** An act is remembered for longer than any cool-down. */
const EARLIER_MS = 120_000;

async function earlier({ journal }: PlatformCluster): Promise<Legacy> {
  const entries = await journal.read({ since: new Date(Date.now() - EARLIER_MS) }).catch(() => []);
  const deeds = entries.filter(({ actor }) => actor === 'sentinel');
  return legacyOf(deeds, { wall: Date.now(), now: now() });
}

function inDoubt({ watch, hold }: Evidence): boolean {
  return watch?.doubtSince !== undefined || hold !== undefined;
}

function paceOf({ watch, hold }: Evidence, { operation }: Sight): number {
  if (operation !== undefined) return DOUBT_MS.slow;
  return watch?.link === 'answered' && hold === undefined ? DOUBT_MS.slow : DOUBT_MS.silent;
}

/** The hold ended because the next primary was seen before the leader key was read again. */
function resumedOf(memory: Evidence): Evidence {
  if (memory.hold === undefined) return memory;
  return taken(memory, [
    { kind: 'resume', why: 'writable', reason: 'a new primary takes writes', evidence: {} },
  ]);
}

/** A pause that a bell ends early. */
class Alarm {
  #wake: (() => void) | undefined;
  #rung = false;

  readonly ring = (): void => {
    this.#rung = true;
    this.#wake?.();
  };

  /** A bell that rang since the last wait counts once. Resolves with whether it rang. */
  wait(ms: number, signal: AbortSignal): Promise<boolean> {
    const rung = this.#rung;
    this.#rung = false;
    if (rung || signal.aborted) return Promise.resolve(rung);
    return new Promise(resolve => {
      const end = () => {
        const rang = this.#rung;
        this.#rung = false;
        this.#wake = undefined;
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve(rang);
      };
      const timer = setTimeout(end, ms);
      this.#wake = end;
      signal.addEventListener('abort', end, { once: true });
    });
  }
}

/** Carries decisions out without holding up the next look. */
class Hands {
  /** A new primary was seen and clients go on: the memory has to learn it. */
  resumed = false;
  readonly #cluster: PlatformCluster;
  readonly #senses: Sentinel;
  readonly #signal: AbortSignal;
  readonly #report: (line: string) => void;
  readonly #onResumed: () => void;
  #hold: Promise<ClientHold | undefined> | undefined;
  #fenced: Sample['fenced'];
  #withheld = '';

  constructor(
    cluster: PlatformCluster,
    senses: Sentinel,
    signal: AbortSignal,
    report: (line: string) => void,
    onResumed: () => void,
  ) {
    this.#onResumed = onResumed;
    this.#cluster = cluster;
    this.#senses = senses;
    this.#signal = signal;
    this.#report = report;
  }

  takeFenced(): Sample['fenced'] {
    const fenced = this.#fenced;
    this.#fenced = undefined;
    return fenced;
  }

  carryOut(decisions: readonly Decision[], memory: Evidence): void {
    for (const decision of decisions) {
      void this.#act(decision, memory).catch(error => {
        if (!this.#signal.aborted) this.#report(`${decision.kind}: ${messageOf(error)}`);
      });
    }
  }

  async release(primary?: string): Promise<void> {
    const hold = this.#hold;
    this.#hold = undefined;
    await (await hold)?.release(primary);
    if (hold !== undefined) this.#onResumed();
  }

  async #act(decision: Decision, memory: Evidence): Promise<void> {
    switch (decision.kind) {
      case 'nothing':
        this.#withheld = '';
        return;
      case 'withheld': {
        const key = [
          decision.of,
          decision.member,
          decision.why,
          ...decision.vetoes.map(veto => veto.name),
        ].join(' ');
        if (key === this.#withheld) return;
        this.#withheld = key;
        return await this.#note(decision, decision.member);
      }
      case 'hold': {
        const limitMs = Math.max(0, decision.untilAt - memory.at);
        this.#hold ??= this.#cluster.moves.holdClients({ limitMs, drainMs: 0 }).catch(error => {
          this.#report(messageOf(error));
          return undefined;
        });
        const suspect = memory.watch?.member;
        // A disk can take a second, and clients wait.
        await Promise.all([
          this.#releaseToNext(suspect ?? '', limitMs),
          this.#note(decision, suspect ?? 'cluster'),
        ]);
        return;
      }
      case 'resume':
        await this.release(decision.why === 'writable' ? memory.watch?.member : undefined);
        return await this.#note(decision, memory.watch?.member ?? 'cluster');
      case 'wake':
        await this.#senses.wake(decision.member);
        return await this.#note(decision, decision.member);
      case 'fence': {
        const sent = await this.#senses.fence(decision.member);
        this.#fenced = { member: decision.member, sent };
        return await this.#note(decision, decision.member);
      }
      case 'revoke': {
        const done = await this.#senses.revoke(decision);
        if (decision.heir !== undefined) await (await this.#hold)?.aim(decision.heir);
        return await this.#note(
          decision,
          decision.leader,
          done ? '' : '; the key had changed, nothing was deleted',
        );
      }
    }
  }

  /** Sooner than the next read of the leader key: the first member that takes writes is the one. */
  async #releaseToNext(than: string, timeoutMs: number): Promise<void> {
    const next = await this.#cluster.moves
      .awaitOtherPrimary(than, { timeoutMs, signal: this.#signal })
      .catch(() => undefined);
    if (next === undefined || this.#hold === undefined) return;
    await this.release(next);
    this.resumed = true;
  }

  async #note(decision: Decision, subject: string, more = ''): Promise<void> {
    await this.#cluster.journal.append({
      actor: 'sentinel',
      event: `sentinel-${decision.kind}`,
      subject,
      message: `${decision.kind}: ${decision.reason}${more}`,
      reason: JSON.stringify(decision.evidence),
    });
  }
}

/** Monotonic, milliseconds. */
function now(): number {
  return performance.now();
}
