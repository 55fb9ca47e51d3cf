/** Holding clients back at the poolers while the primary moves. */
import { join } from 'node:path';
import { type ConsoleTarget, PoolerConsole } from '../../engine/pgbouncer/console.ts';
import type { ClientHold, HoldLimits } from '../contract.ts';
import { DeadMansSwitch, type Held } from './deadMansSwitch.ts';

const AGAIN_MS = 5_000;

export interface HoldInput {
  /** Where the consoles of the primary's poolers are; none: nobody is held, and `release` still leads. */
  targets: readonly ConsoleTarget[];
  warm: Warm;
  door: Door;
}

/** The proxy, past which clients reach the primary without a pooler. */
export interface Door {
  /** Turns away who comes anew. Never rejects. */
  close(): Promise<void>;
  /** Names this primary to the poolers; they follow when they read it. Resolves with whether they have to. Never rejects. */
  aim(primary: string): Promise<boolean>;
  /** Leads the proxy to this primary, if one is named, and lets clients in. Never rejects. */
  open(primary: string | undefined): Promise<void>;
  /** Holds the pid of the process that forgets a closed door when it gets SIGUSR2. */
  pidFile: string;
}

/**
 * Holds clients of the primary's poolers back, for at most `limitMs`; waits up to `drainMs` for transactions under
 * way. A pooler that does not answer is left out: it holds nobody.
 */
export async function holdClients(
  { targets, warm, door }: HoldInput,
  { limitMs, drainMs, turnAway = false }: HoldLimits,
): Promise<ClientHold> {
  // Nobody is held by whom nothing would let go.
  const guard = targets.length > 0 || turnAway ? warm.takeSwitch(targets, door) : undefined;
  guard?.arm({ limitMs, shut: turnAway });
  const closing = turnAway ? door.close() : undefined;
  const pausing = await settled(targets.map(target => warm.takeConsole(target)));
  // Where no pooler answers nobody is held: the whole cluster may have been stopped.
  if (pausing.length === 0 && !turnAway) guard?.disarm();
  // The console that pauses may wait for a long transaction, and takes no other command until then.
  const resuming = targets.map(target => PoolerConsole.open(target));
  for (const opened of resuming) opened.catch(() => {});
  const drained = await Promise.all(pausing.map(console => console.pause(drainMs)));
  await closing;
  let released = false;
  let aiming: Promise<boolean> | undefined;
  /** Resolves with whether all poolers have read their target. */
  const readTarget = async (): Promise<boolean> => {
    const opened = await settled(resuming);
    const read = await Promise.allSettled(opened.map(console => console.reload()));
    return opened.length === targets.length && read.every(({ status }) => status === 'fulfilled');
  };
  const aim = async (primary: string): Promise<void> => {
    if (!released) aiming ??= door.aim(primary).then(readTarget);
    await aiming;
  };
  const release = async (primary?: string): Promise<void> => {
    if (released) return;
    released = true;
    // Patroni's callback leads as well, a moment later: who goes on before that would meet the old primary.
    const told = turnAway || primary !== undefined ? door.open(primary) : undefined;
    const aimed = await aiming;
    if (primary !== undefined && ((await door.aim(primary)) || aimed !== true)) await readTarget();
    const opened = await settled(resuming);
    await Promise.allSettled(opened.map(console => console.resume()));
    await told;
    for (const console of [...pausing, ...opened]) console[Symbol.dispose]();
    guard?.disarm();
    warm.refill(targets, door);
  };
  return { drained: drained.every(Boolean), aim, release, [Symbol.asyncDispose]: () => release() };
}

/** What is ready before it is needed: a pause that comes sooner spares clients an error. */
export class Warm implements Disposable {
  readonly #consoles = new Map<string, Promise<PoolerConsole | undefined>>();
  #switch: DeadMansSwitch | undefined;
  #wanted = false;

  /** From now on there is a console for each of these, where its pooler answers, and a switch as long as one does. */
  keep(targets: readonly ConsoleTarget[], door: Pick<Door, 'pidFile'>): void {
    this.#wanted = true;
    this.refill(targets, door);
  }

  /** Makes what is missing, if it is wanted at all. */
  refill(targets: readonly ConsoleTarget[], door: Pick<Door, 'pidFile'>): void {
    if (!this.#wanted) return;
    for (const target of targets) {
      const { socketDir } = target;
      if (this.#consoles.has(socketDir)) continue;
      const lose = () => {
        if (this.#consoles.get(socketDir) !== open) return;
        this.#consoles.delete(socketDir);
        this.#dropSwitch();
        // A pooler that was merely started anew is back by then.
        setTimeout(() => this.refill(targets, door), AGAIN_MS).unref();
      };
      const open = PoolerConsole.open(target, lose).then(
        console => {
          if (this.#wanted) this.#refillSwitch(heldAt(targets, door));
          return console;
        },
        () => {
          if (this.#consoles.get(socketDir) === open) this.#consoles.delete(socketDir);
          return undefined;
        },
      );
      this.#consoles.set(socketDir, open);
    }
  }

  #refillSwitch(held: Held): void {
    if (this.#switch?.isFor(held) === true) return;
    this.#dropSwitch();
    try {
      this.#switch = new DeadMansSwitch(held);
    } catch {
      // Whoever holds tries again, and says so.
    }
  }

  #dropSwitch(): void {
    this.#switch?.disarm();
    this.#switch = undefined;
  }

  /** The open one, which is the taker's then, or a new one. Rejects where the pooler does not answer. */
  async takeConsole(target: ConsoleTarget): Promise<PoolerConsole> {
    const open = this.#consoles.get(target.socketDir);
    this.#consoles.delete(target.socketDir);
    const console = await open;
    if (console?.alive === true) return console;
    console?.[Symbol.dispose]();
    return await PoolerConsole.open(target);
  }

  /** The one that waits for these, which is the taker's then, or a new one. */
  takeSwitch(targets: readonly ConsoleTarget[], door: Pick<Door, 'pidFile'>): DeadMansSwitch {
    const held = heldAt(targets, door);
    if (this.#switch?.isFor(held) !== true) return new DeadMansSwitch(held);
    const ready = this.#switch;
    this.#switch = undefined;
    return ready;
  }

  [Symbol.dispose](): void {
    this.#wanted = false;
    for (const open of this.#consoles.values()) void open.then(console => console?.[Symbol.dispose]());
    this.#consoles.clear();
    this.#dropSwitch();
  }
}

function heldAt(targets: readonly ConsoleTarget[], { pidFile }: Pick<Door, 'pidFile'>): Held {
  return { poolers: targets.map(({ socketDir }) => join(socketDir, 'pid')), door: pidFile };
}

async function settled<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(promises);
  return results.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []));
}
