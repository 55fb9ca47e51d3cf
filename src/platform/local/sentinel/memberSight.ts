/** What is asked of one member, from outside, on its own host and from the other hosts. */
import { readFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import type { Sample } from '../../../core/failover/sample.ts';
import { outside } from '../../../core/failover/sample.ts';
import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import { Link, type LinkState } from '../../../engine/postgres/link.ts';
import { lifeOf, type ProcessId } from '../../../lib/process.ts';
import { answersTo } from '../../../lib/reach.ts';
import { Repeated } from '../../../lib/repeated.ts';
import type { ClientPool } from '../clients.ts';
import { postmasterOf } from '../faults/processes.ts';
import { memberAddress, memberName, ordinalOf, type Paths } from '../layout.ts';
import type { ClusterRecord } from '../record.ts';
import { serviceStatus } from '../runit.ts';
import type { SecretStore } from '../secrets.ts';
import { Canary, login } from './inside.ts';
import { reachedFrom } from './reach.ts';

export interface MemberSightInput {
  paths: Paths;
  record: ClusterRecord;
  clients: ClientPool;
  secrets: SecretStore;
  spec: ClusterSpec;
}

/** Milliseconds between attempts: while all is well, and in doubt. */
const PACE = {
  login: { calm: 1_000, doubt: 500 },
  commit: { calm: 2_000, doubt: 500 },
  patroni: { calm: 3_000, doubt: 400 },
};
const PATRONI_MS = 800;
/** A login under way for longer counts as failing so far; one that ends well after all clears it of everything. */
const LOGIN_OVERDUE_MS = 500;
/** While its session answers or was closed, other hosts are asked now and then only: programs have to be started on them. */
const ASK_REST_MS = 300;
/** To take a postmaster down takes 10 to 60 ms, more with much memory. One that hangs there is gone for whoever needs it. */
const ENDING_MS = 500;
const ENDING_PACE_MS = 10;
/** Never on one failed probe. */
const LOST_AFTER = 2;
/** Python and its modules take two seconds on an idle machine, several on a busy one. */
const PATRONI_START_MS = 10_000;

/** All probes that are aimed at one member. */
export class MemberSight implements AsyncDisposable {
  readonly member: string;
  readonly #input: MemberSightInput;
  readonly #link: Link;
  readonly #canary: Canary;
  readonly #login: Repeated<boolean>;
  readonly #commit: Repeated<void>;
  /** undefined: it is being started, and cannot answer yet. */
  readonly #patroni: Repeated<{ answered: boolean; failsafe: boolean } | undefined>;
  /** Attempts of vantages that have ended since the last sample. */
  #vantages: { from: string; reached: boolean | undefined }[] = [];
  #asking = false;
  readonly #askedAt = { outside: Number.NEGATIVE_INFINITY, others: Number.NEGATIVE_INFINITY };
  #linkState: LinkState['state'] | undefined;
  /** Whether its host could tell us anything, when the attempt was begun that says so, and how many in a row have failed. */
  #host = { answered: true, asOf: Number.NEGATIVE_INFINITY, failures: 0 };
  /** As it was found last. */
  #postmaster: ProcessId | undefined;
  #endingSince: number | undefined;
  readonly #onAlarm: () => void;
  #remembering = false;
  /** The end of the last login that was told. */
  #loginTold: number | undefined;

  private constructor(member: string, input: MemberSightInput, link: Link, onAlarm: () => void) {
    const { paths, record, clients } = input;
    this.member = member;
    this.#input = input;
    this.#link = link;
    this.#onAlarm = onAlarm;
    this.#canary = new Canary(paths, record, member);
    this.#login = new Repeated(PACE.login.calm, now, signal => login(paths, record, member, signal));
    this.#commit = new Repeated(PACE.commit.calm, now, signal => this.#canary.commit(signal));
    this.#patroni = new Repeated(PACE.patroni.calm, now, async signal => {
      try {
        const { failsafe_mode_is_active: failsafe = false } = await clients
          .patroni(member)
          .status(signal, PATRONI_MS);
        return { answered: true, failsafe };
      } catch {
        return (await this.#patroniStarts()) ? undefined : { answered: false, failsafe: false };
      }
    });
  }

  static async open(member: string, input: MemberSightInput, onAlarm: () => void): Promise<MemberSight> {
    const { record, paths, secrets } = input;
    const { password } = await secrets.read('postgres');
    const target = {
      host: memberAddress(record, ordinalOf(member)),
      port: record.port,
      user: 'postgres',
      password,
      ca: await readFile(paths.ca, 'utf8'),
    };
    return new MemberSight(member, input, new Link(target, onAlarm), onAlarm);
  }

  /** It was asked several times, and neither its PostgreSQL nor its kernel has answered. */
  get lost(): boolean {
    return this.#linkState === 'silent' && this.#host.failures >= LOST_AFTER;
  }

  async sample(inDoubt: boolean, busy: boolean): Promise<Partial<Sample>> {
    const doubt = inDoubt && !busy;
    this.#login.pace(doubt ? PACE.login.doubt : PACE.login.calm);
    this.#commit.pace(doubt ? PACE.commit.doubt : PACE.commit.calm);
    this.#patroni.pace(doubt ? PACE.patroni.doubt : PACE.patroni.calm);
    const at = now();
    const link = this.#link.look(at);
    const silent = link?.state === 'silent';
    const closed = link?.state === 'closed';
    // A host that falls silent has said nothing since, until somebody reaches it.
    if (link?.state === 'answered' || (silent && this.#linkState === 'answered' && !busy)) {
      this.#host = { answered: !silent, asOf: at, failures: 0 };
    }
    if (link?.state === 'answered') {
      // In a new session it may be another than before.
      if (this.#linkState !== 'answered' && this.#linkState !== 'silent') this.#postmaster = undefined;
      void this.#rememberPostmaster().catch(() => {});
    }
    this.#linkState = link?.state;
    if (doubt || ((closed || silent) && !busy)) {
      // Of what is silent at each look: the end of a blip must be seen before patience ends.
      const restMs = silent ? 0 : ASK_REST_MS;
      if (at - this.#askedAt.outside >= restMs) void this.#askOutside();
      if (!this.#asking && at - this.#askedAt.others >= restMs) void this.#askOthers();
    }
    const vantages = this.#vantages.splice(0);
    const patroni = this.#patroni.last;
    const common = {
      member: this.member,
      link,
      vantages,
      patroni: patroni?.value && { ...patroni.value, endedAt: patroni.endedAt },
    };
    // Whoever is on a host that nothing reaches could not tell us anything.
    if (!this.#host.answered) return { ...common, process: 'unknown' };
    const commitSince = this.#commit.runningSince;
    return {
      ...common,
      // Who answers a question runs: the files need not be asked.
      process: link?.state === 'answered' ? 'running' : await this.#process(at, busy),
      newConnection: this.#newConnection(at),
      commit: commitSince !== undefined ? { state: 'running', since: commitSince } : { state: 'finished' },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#link[Symbol.dispose]();
    this.#login[Symbol.dispose]();
    this.#commit[Symbol.dispose]();
    this.#patroni[Symbol.dispose]();
    await Promise.race([
      this.#canary[Symbol.asyncDispose](),
      new Promise(resolve => setTimeout(resolve, 200)),
    ]);
  }

  /** The last login; or the one under way, if that is overdue and no good one has ended since the last look. */
  #newConnection(at: number): Sample['newConnection'] {
    const { last } = this.#login;
    const isGoodNews = last?.value === true && last.endedAt !== this.#loginTold;
    this.#loginTold = last?.endedAt;
    if (this.#login.isOverdue(LOGIN_OVERDUE_MS, at) && !isGoodNews) return { succeeded: false, endedAt: at };
    return last && { succeeded: last.value, endedAt: last.endedAt };
  }

  /** It has ended and runit starts it again, or did so just now: that is no Patroni that hangs. */
  async #patroniStarts(): Promise<boolean> {
    const { pid, since } = await serviceStatus(this.#input.paths.services, this.member);
    return pid === undefined || since === undefined || Date.now() - Date.parse(since) < PATRONI_START_MS;
  }

  async #process(at: number, busy: boolean): Promise<Sample['process']> {
    const found = this.#postmaster ?? (await postmasterOf(this.#input.paths, this.member));
    const life = found === undefined ? 'gone' : lifeOf(found);
    this.#postmaster = life === 'gone' ? undefined : found;
    this.#endingSince = life === 'ending' ? (this.#endingSince ?? at) : undefined;
    if (this.#endingSince === undefined) return life;
    if (at - this.#endingSince > ENDING_MS) return 'gone';
    if (!busy) setTimeout(this.#onAlarm, ENDING_PACE_MS).unref();
    return 'ending';
  }

  /** So that its end is known at once, without a look at files. */
  async #rememberPostmaster(): Promise<void> {
    if (this.#postmaster !== undefined || this.#remembering) return;
    this.#remembering = true;
    try {
      this.#postmaster = await postmasterOf(this.#input.paths, this.member);
    } finally {
      this.#remembering = false;
    }
  }

  /** Asks from outside once whether it is reached. A host whose PostgreSQL is gone refuses, which is an answer. */
  async #askOutside(): Promise<void> {
    const asOf = now();
    this.#askedAt.outside = asOf;
    const { record } = this.#input;
    // Patroni would note each such visit as an error.
    const answered = await answersTo(memberAddress(record, ordinalOf(this.member)), record.port);
    if (asOf < this.#host.asOf) return;
    this.#host = { answered, asOf, failures: answered ? 0 : this.#host.failures + 1 };
    this.#vantages.push({ from: outside, reached: answered });
  }

  /** Asks every other host once whether it reaches the member. */
  async #askOthers(): Promise<void> {
    this.#asking = true;
    this.#askedAt.others = now();
    const { record, spec } = this.#input;
    const suspect = ordinalOf(this.member);
    const others = Array.from({ length: spec.instances }, (_, n) => n).filter(n => n !== suspect);
    try {
      await Promise.all(
        others.map(async n => {
          const there = await answersTo(memberAddress(record, n), record.port);
          const reached = there ? await reachedFrom(record, n, suspect) : undefined;
          this.#vantages.push({ from: memberName(spec, n), reached });
        }),
      );
    } finally {
      this.#asking = false;
    }
  }
}

/** Monotonic, milliseconds. */
export function now(): number {
  return performance.now();
}
