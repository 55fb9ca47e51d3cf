/**
 * A fault as a platform can inject it: one act on one target, told in terms that hold on a machine and on
 * Kubernetes. Drills (scenarios.ts) are put together from these; a platform that cannot inject one says why.
 */

/** Processes that make up a member, the other servers, and ourselves. */
export type ProcessName =
  | 'postmaster'
  | 'backend'
  | 'walwriter'
  | 'checkpointer'
  | 'walsender'
  | 'walreceiver'
  | 'startup'
  | 'patroni';

/** Whom a member cannot reach any more. `clients`: endpoints and whatever else is outside the members' hosts. */
export type Peers = 'everyone' | 'dcs' | 'members' | 'clients';

export type RepositoryFault = 'read-only' | 'full' | 'unreachable' | 'flipped' | 'missing';

export type Fault =
  /** A signal to a process of a member. KILL and STOP only: an orderly end is no fault. */
  | { kind: 'signal'; member: string; process: ProcessName; signal: 'KILL' | 'STOP' }
  /** A server beside the members ends at once; its supervisor may start it again. */
  | { kind: 'kill-server'; component: string }
  /** Servers end at once and stay down until the undo. */
  | { kind: 'hold-down'; components: string[] }
  /** The resident control plane and the supervisor of the servers end at once. */
  | { kind: 'kill-control-plane' }
  /** Everything on the member's host ends at once, its network with it, and stays away until the undo. */
  | { kind: 'power-off'; member: string }
  /** Everything on the member's host stands still until the undo. */
  | { kind: 'freeze'; member: string }
  /** Packets are dropped without a word until the undo. `outgoing`: only those the member sends. */
  | { kind: 'cut'; member: string; peers: Peers; direction: 'both' | 'outgoing' | 'incoming' }
  /** The member's network interface is down until the undo. */
  | { kind: 'link-down'; member: string }
  /** Packets of client connections that exist now are dropped; new ones get through. */
  | { kind: 'forget-connections'; member: string }
  /** The volume with the member's data and WAL is filled to the last block until the undo. */
  | { kind: 'fill-volume'; member: string }
  /** Writes to the volume with the member's data and WAL do not end until the undo; reads go on. */
  | { kind: 'freeze-volume'; member: string }
  /** The data directory is moved away under the running server; the undo drops what was moved. */
  | { kind: 'lose-data'; member: string }
  /** A standby receives WAL but does not replay it until the undo. */
  | { kind: 'pause-replay'; member: string }
  /** `pg_ctl promote` on a standby, behind Patroni's back. */
  | { kind: 'promote'; member: string }
  /**
   * A repository of backups takes nothing (`read-only`, `full`), cannot be had (`unreachable`), or holds a file of its
   * newest backup that is not what was written (`flipped`, `missing`), until the undo.
   */
  | { kind: 'break-repository'; repository: string; how: RepositoryFault }
  /** The member's pod is deleted, as by `kubectl delete pod` or an eviction: it ends in order and is made anew. */
  | { kind: 'delete-pod'; member: string }
  /** Everything of the cluster and the control plane ends at once, as when the machine loses its power. */
  | { kind: 'power-off-all' };

export type FaultKind = Fault['kind'];
