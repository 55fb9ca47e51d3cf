import type { FenceCause, RevokeCause } from './accusations.ts';
import type { Facts } from './facts.ts';
import type { Veto } from './vetoes.ts';

interface Common {
  /** One sentence for people, without its full stop. */
  reason: string;
  /** What it rests on, for the journal. */
  evidence: Facts;
}

/** What the sentinel does now. Each is carried out once: `look` keeps in mind that it was decided. */
export type Decision = Common &
  (
    | { kind: 'nothing' }
    /** Poolers pause, so that clients wait; whoever carries it out makes sure that it ends at `untilAt`. */
    | { kind: 'hold'; untilAt: number }
    | { kind: 'resume'; why: 'writable' | 'limit' }
    /** Wake Patroni's loops, by a PATCH of the configuration with an unchanged value. */
    | { kind: 'wake'; member: string }
    /** Kill PostgreSQL on the member's own host; report by `Sample.fenced`. */
    | { kind: 'fence'; member: string; how: 'kill-postmaster'; why: FenceCause }
    /**
     * One transaction: if the leader key still has this revision, tag the record of the member with nofailover, then
     * delete the key. `heir`: a standby that can take over, the likely next primary.
     */
    | {
        kind: 'revoke';
        leader: string;
        heir: string | undefined;
        revision: string;
        why: RevokeCause;
      }
    /** A threshold is crossed, and something named speaks against acting. Worth a line whenever it changes. */
    | {
        kind: 'withheld';
        of: 'fence' | 'revoke';
        member: string;
        why: FenceCause | RevokeCause;
        vetoes: Veto[];
      }
  );
