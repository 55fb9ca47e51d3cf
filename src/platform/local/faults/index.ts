/**
 * Faults on this machine, behind the contract: look whether it can be done, register the undo, break it, and take
 * it back. What each fault does stands in its injector; how each is undone in undo.ts.
 */
import { randomBytes } from 'node:crypto';
import type { Fault } from '../../../core/drill/fault.ts';
import { undoEach } from '../../../core/drill/undoEach.ts';
import type { FaultObservation } from '../../../core/topology/observation.ts';
import { messageOf, PgherdError, RefusedError } from '../../../lib/errors.ts';
import { takeLock } from '../../../lib/lock.ts';
import { startTimeOf } from '../../../lib/process.ts';
import type { ApplyContext, Faults, Injection, RegisteredFault } from '../../contract.ts';
import { readRecord } from '../record.ts';
import type { FaultContext, Injector, Injectors, Prepared } from './injector.ts';
import { INJECTORS } from './injectors.ts';
import { isInForce, isOwned, Register } from './register.ts';
import type { RegisterEntry } from './schema.ts';
import { UNDOERS, undoAll } from './undo.ts';

/** Every look of an obstacle; a member that is stopped or frozen does not answer. */
const LOOK_MS = 10_000;
/** An undo waits for servers to start again. */
const UNDO_MS = 60_000;

export class LocalFaults implements Faults {
  readonly #context: FaultContext;
  readonly #injectors: Injectors;
  readonly #register: Register;

  constructor(context: FaultContext, injectors = INJECTORS) {
    this.#context = context;
    this.#injectors = injectors;
    this.#register = new Register(context.paths.root);
  }

  async obstacle(fault: Fault): Promise<string | undefined> {
    const { paths, record } = this.#context;
    const current = await readRecord(paths.record);
    if (current === undefined || current.stopped) {
      return `${record.name} does not run: start it first with \`pgherd up\``;
    }
    return await this.#injectorOf(fault).obstacle(fault, this.#context, AbortSignal.timeout(LOOK_MS));
  }

  async inject(fault: Fault, signal: AbortSignal): Promise<Injection> {
    signal.throwIfAborted();
    const obstacle = await this.obstacle(fault);
    if (obstacle !== undefined) throw new RefusedError({ code: 'no-such-fault', message: obstacle });
    const prepared = await this.#injectorOf(fault).prepare(fault, this.#context, signal);
    const entry = await this.#enter(fault, prepared, signal);
    const at = await this.#act(entry, prepared, signal);
    return {
      at,
      description: prepared.description,
      weaker: prepared.weaker,
      undo: async undoSignal => void (await this.#undo(entry, undoSignal)),
    };
  }

  async registered(): Promise<RegisteredFault[]> {
    const { entries, damaged } = await this.#register.read();
    const [first] = damaged;
    if (first !== undefined) throw first;
    return await Promise.all(
      entries.map(async entry => ({
        id: entry.id,
        fault: entry.fault,
        at: entry.at,
        description: entry.description,
        owned: await isOwned(entry),
        inForce: isInForce(entry),
      })),
    );
  }

  /** What `status` tells of the register; a file that cannot be understood is told as well. */
  async observe(): Promise<FaultObservation[]> {
    const { entries, damaged } = await this.#register.read();
    const standing = await Promise.all(
      entries
        .filter(isInForce)
        .map(async entry => ({ description: entry.description, owned: await isOwned(entry) })),
    );
    return [...standing, ...damaged.map(({ message }) => ({ description: message, owned: false }))];
  }

  async undo(which: 'all' | 'orphaned', { signal, progress }: ApplyContext): Promise<string[]> {
    const { entries, damaged } = await this.#register.read();
    return await undoEach(
      entries.reverse(),
      damaged,
      async entry => {
        if (which === 'orphaned' && (await isOwned(entry))) return [];
        progress(`undoing: ${entry.description}`);
        return await this.#undo(entry, signal);
      },
      signal,
    );
  }

  /** The table is typed by kind; TypeScript does not follow the pairing through an index. */
  #injectorOf(fault: Fault): Injector {
    return this.#injectors[fault.kind] as Injector;
  }

  /** Puts the fault into the register. Refused while somebody else's is in there: one drill at a time. */
  async #enter(fault: Fault, prepared: Prepared, signal: AbortSignal): Promise<RegisterEntry> {
    const owner = { pid: process.pid, startTime: (await startTimeOf(process.pid)) ?? '' };
    await using _lock = await takeLock(await this.#register.lockFile(), {
      operation: 'registering a fault',
      flock: this.#context.record.programs.flock,
      waitMs: LOOK_MS,
      signal,
    });
    const { entries, damaged } = await this.#register.read();
    if (damaged[0] !== undefined) throw damaged[0];
    for (const other of entries) {
      if (other.owner.pid === owner.pid && other.owner.startTime === owner.startTime) continue;
      if (await isOwned(other)) throw underWay(other);
      if (isInForce(other)) throw leftBehind(other);
      await this.#register.remove(other.id);
    }
    const at = new Date().toISOString();
    const { description, undo } = prepared;
    const id = `${at.replace(/[:.]/g, '')}-${randomBytes(3).toString('hex')}`;
    const entry: RegisterEntry = { schema: 1, id, fault, description, at, owner, undo };
    await this.#register.add(entry);
    return entry;
  }

  /** Resolves with the time of the first effect. */
  async #act(entry: RegisterEntry, prepared: Prepared, signal: AbortSignal): Promise<number> {
    let at: number | undefined;
    const done = () => {
      at ??= Date.now();
    };
    try {
      signal.throwIfAborted();
      await prepared.act(done, signal);
      done();
    } catch (cause) {
      throw await this.#takeBack(entry, cause);
    }
    if (await this.#register.has(entry.id)) return at ?? Date.now();
    // Somebody undid it while it was being done: what came after that is not undone yet.
    throw await this.#takeBack(entry, new Error('its undo was asked for meanwhile'));
  }

  async #takeBack(entry: RegisterEntry, cause: unknown): Promise<PgherdError> {
    const facts = { code: 'injection-failed', cause };
    const message = `the fault could not be injected (${entry.description}): ${messageOf(cause)}`;
    try {
      await this.#undo(entry, AbortSignal.timeout(UNDO_MS));
      return new PgherdError({ ...facts, message, detail: 'what was done of it was undone' });
    } catch (error) {
      const { detail, hint } = error as PgherdError;
      return new PgherdError({ ...facts, message: `${message}; ${messageOf(error)}`, detail, hint });
    }
  }

  async #undo(entry: RegisterEntry, signal: AbortSignal): Promise<string[]> {
    try {
      const done = await undoAll(entry.undo, UNDOERS, this.#context, signal);
      await this.#register.remove(entry.id);
      return done.map(sentence => `undid "${entry.description}": ${sentence}`);
    } catch (cause) {
      signal.throwIfAborted();
      throw new PgherdError({
        code: 'undo-failed',
        message: `the fault is not undone (${entry.description}): ${messageOf(cause)}`,
        detail: cause instanceof PgherdError ? cause.detail : undefined,
        hint: 'it stays registered and the undo is tried again by the control plane, `pgherd drill clean` and `pgherd up`',
        cause,
      });
    }
  }
}

function underWay({ description, owner, at }: RegisterEntry): RefusedError {
  return new RefusedError({
    code: 'drill-running',
    message: `another drill is under way: ${description} (process ${owner.pid}, since ${at})`,
    hint: 'wait until it is over: one drill at a time',
  });
}

function leftBehind({ description, at }: RegisterEntry): RefusedError {
  return new RefusedError({
    code: 'drill-left-behind',
    message: `a drill that died left a fault behind: ${description} (since ${at})`,
    hint: 'the control plane undoes it within seconds; `pgherd drill clean` does so at once',
  });
}
