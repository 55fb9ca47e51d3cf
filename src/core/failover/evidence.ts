import type { Sample, Setting, SyncRead } from './sample.ts';

/**
 * Everything the sentinel knows at the moment of its last look: plain data, made by `observe` from samples and by
 * `taken` from decisions. There is no other memory. `undefined` means "not seen", never "is not so".
 */
export interface Evidence {
  /** The last look. */
  at: number;
  /** It came when it should. */
  timely: boolean;
  setting: Setting;
  key: Key;
  sync: (SyncRead & { at: number }) | undefined;
  /** The primary in force, as the leader key names it; begins anew whenever the key is taken anew. */
  watch: Watch | undefined;
  /** By member: without the lease, taking writes, Patroni silent. */
  strays: Readonly<Record<string, Streak>>;
  hold: { since: number; untilAt: number } | undefined;
  /** The last hold ended without a primary: none begins before one was seen. */
  gaveUp: boolean;
  /** The last fence of each member. `sent` undefined: no word of it yet. */
  fences: Readonly<Record<string, Fence>>;
  revoked: { member: string; revision: string; at: number } | undefined;
}

/** A run of looks in which the same bad thing held, without a good one in between. */
export interface Streak {
  since: number;
  /** How long it held, in timely looks only: never more than `at - since`. */
  heldMs: number;
  looks: number;
  /** Attempts that ended with it, where a probe takes longer than a look. */
  probes: number;
  lastProbeAt: number;
}

export interface Key {
  state: 'held' | 'none' | 'unreadable';
  /** When the last answer with a quorum was asked for. */
  sentAt: number | undefined;
  /** The last holder known. The lease ends at `leaseEndsAt` or later. */
  holder: { name: string; revision: string; leaseEndsAt: number; ttlMs: number } | undefined;
}

export interface Fence {
  at: number;
  sent: boolean | undefined;
}

export interface Sign {
  by: string;
  at: number;
}

export interface Watch {
  member: string;
  revision: string;
  since: number;
  /** Since when there is reason to ask the other hosts. */
  doubtSince: number | undefined;
  link: 'answered' | 'silent' | 'closed' | undefined;
  answeredAt: number | undefined;
  /** As the last answer said. */
  takesWrites: boolean | undefined;
  /** The link is silent or closed. A late look breaks it. */
  quiet: Streak | undefined;
  /** No sign of life of the member or its host. A late look breaks it. */
  unseen: Streak | undefined;
  process: { state: NonNullable<Sample['process']>; since: number; at: number } | undefined;
  gone: Streak | undefined;
  loginsFail: Streak | undefined;
  commit: { since: number; stalled: Streak | undefined } | undefined;
  patroniSilent: Streak | undefined;
  patroniAnsweredAt: number | undefined;
  failsafeAt: number | undefined;
  /** Last sign of life of PostgreSQL: a session answered, a login, a commit that ended. */
  alive: Sign | undefined;
  /** Last sign of life of the member or its host, PostgreSQL's included. */
  seen: Sign | undefined;
  vantages: Readonly<Record<string, Vantage>>;
  /** Patroni's loops were woken for the present end of the process. */
  woken: boolean;
}

/** Another place, asked since doubt arose. */
export interface Vantage {
  /** When it last answered the sentinel at all. */
  answeredAt: number | undefined;
  /** Attempts in a row that did not reach the member, up to `failedAt`. */
  failures: number;
  failedAt: number | undefined;
}

/** What one run of the sentinel leaves to the next, so that the cool-down outlives it. */
export type Legacy = Pick<Evidence, 'revoked' | 'fences'>;

/** Before the first look. */
export function begin(at: number, setting: Setting, earlier?: Legacy): Evidence {
  return {
    at,
    timely: false,
    setting,
    key: { state: 'unreadable', sentAt: undefined, holder: undefined },
    sync: undefined,
    watch: undefined,
    strays: {},
    hold: undefined,
    gaveUp: false,
    fences: earlier?.fences ?? {},
    revoked: earlier?.revoked,
  };
}

export function beginWatch(member: string, revision: string, at: number): Watch {
  return {
    member,
    revision,
    since: at,
    doubtSince: undefined,
    link: undefined,
    answeredAt: undefined,
    takesWrites: undefined,
    quiet: undefined,
    unseen: undefined,
    process: undefined,
    gone: undefined,
    loginsFail: undefined,
    commit: undefined,
    patroniSilent: undefined,
    patroniAnsweredAt: undefined,
    failsafeAt: undefined,
    alive: undefined,
    seen: undefined,
    vantages: {},
    woken: false,
  };
}
