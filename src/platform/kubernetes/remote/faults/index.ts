/** Faults on pods, behind the contract: look whether it can be done, register the undo, break it, and take it back. */
import { randomBytes } from 'node:crypto';
import type { Fault } from '../../../../core/drill/fault.ts';
import { undoEach } from '../../../../core/drill/undoEach.ts';
import type { FaultObservation } from '../../../../core/topology/observation.ts';
import { messageOf, PgherdError, RefusedError } from '../../../../lib/errors.ts';
import type { ApplyContext, Faults, Injection, RegisteredFault } from '../../../contract.ts';
import type { KubeClient } from '../../api/client.ts';
import { exec } from '../../api/exec.ts';
import type { LiveObject } from '../../api/kinds.ts';
import { poolerSelector, selectorText } from '../../objects/labels.ts';
import { MEMBER_CONTAINER } from '../../objects/names.ts';
import { POOLER_CONTAINER } from '../../objects/pooler.ts';
import { type FaultContext, obstacleOf, prepare, undoStep } from './injectors.ts';
import type { RunInside } from './processes.ts';
import { admit, isInForce, isOwned, ourselves, Register, type RegisterContents } from './register.ts';
import type { RegisterEntry } from './schema.ts';
import { SignsOfLife } from './signs.ts';

const LOOK_MS = 15_000;
const UNDO_MS = 60_000;
const COMMAND_MS = 20_000;

export class RemoteFaults implements Faults {
  readonly #context: FaultContext;
  readonly #register: Register;
  readonly #signs: SignsOfLife;

  constructor(context: FaultContext, cluster: LiveObject) {
    this.#context = context;
    const register = new Register(context.client, cluster);
    this.#register = register;
    this.#signs = new SignsOfLife(() => register.renew());
  }

  async obstacle(fault: Fault): Promise<string | undefined> {
    return await obstacleOf(fault, this.#context, AbortSignal.timeout(LOOK_MS));
  }

  async inject(fault: Fault, signal: AbortSignal): Promise<Injection> {
    signal.throwIfAborted();
    const obstacle = await this.obstacle(fault);
    if (obstacle !== undefined) throw new RefusedError({ code: 'no-such-fault', message: obstacle });
    const prepared = await prepare(fault, this.#context, signal);
    const { description, weaker, undo } = prepared;
    const stamp = new Date().toISOString();
    const id = `${stamp.replace(/[:.]/g, '')}-${randomBytes(3).toString('hex')}`;
    const owner = await ourselves();
    const entry: RegisterEntry = { schema: 1, id, fault, description, at: stamp, owner, undo };
    await this.#register.add(entry, others => admit(owner, others));
    this.#signs.begin(id);
    // Before it is asked for: what is measured from here on is rather too long than too short.
    const at = Date.now();
    try {
      signal.throwIfAborted();
      await prepared.act(signal);
      if (!(await this.#register.has(id))) throw new Error('its undo was asked for meanwhile');
    } catch (cause) {
      throw await this.#takeBack(entry, cause);
    }
    return { at, description, weaker, undo: async inner => void (await this.#undo(entry, inner)) };
  }

  async registered(): Promise<RegisteredFault[]> {
    const entries = await this.#register.entries();
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

  /** What `status` tells of the register; that it cannot be understood is told as well. */
  async observe(): Promise<FaultObservation[]> {
    try {
      const standing = (await this.registered()).filter(({ inForce }) => inForce);
      return standing.map(({ description, owned }) => ({ description, owned }));
    } catch (error) {
      if (error instanceof PgherdError && error.code === 'state-unreadable')
        return [{ description: error.message, owned: false }];
      throw error;
    }
  }

  async undo(which: 'all' | 'orphaned', context: ApplyContext): Promise<string[]> {
    const spared = which === 'all' ? async () => false : isOwned;
    return await this.#undoThose(await this.#register.read(), spared, context);
  }

  /**
   * Undoes everything that is registered, if the register is of this version still: then nobody who broke something has
   * given a sign of life since it was seen.
   */
  async undoAbandoned(version: string, context: ApplyContext): Promise<string[]> {
    const contents = await this.#register.read();
    if (contents.version !== version) return [];
    return await this.#undoThose(contents, async () => false, context);
  }

  /** Newest first. */
  async #undoThose(
    { entries, damaged }: RegisterContents,
    spared: (entry: RegisterEntry) => Promise<boolean>,
    { signal, progress }: ApplyContext,
  ): Promise<string[]> {
    return await undoEach(
      entries.toReversed(),
      damaged,
      async entry => {
        if (await spared(entry)) return [];
        progress(`undoing: ${entry.description}`);
        return await this.#undo(entry, signal);
      },
      signal,
    );
  }

  async #takeBack(entry: RegisterEntry, cause: unknown): Promise<PgherdError> {
    const facts = { code: 'injection-failed', cause };
    const message = `the fault could not be injected (${entry.description}): ${messageOf(cause)}`;
    try {
      await this.#undo(entry, AbortSignal.timeout(UNDO_MS));
      return new PgherdError({ ...facts, message, detail: 'what was done of it was undone' });
    } catch (error) {
      return new PgherdError({ ...facts, message: `${message}; ${messageOf(error)}` });
    }
  }

  async #undo(entry: RegisterEntry, signal: AbortSignal): Promise<string[]> {
    try {
      const done: string[] = [];
      for (const step of entry.undo) {
        const sentence = await undoStep(step, this.#context, signal);
        if (sentence !== undefined) done.push(`undid "${entry.description}": ${sentence}`);
      }
      await this.#register.remove(entry.id);
      this.#signs.end(entry.id);
      return done;
    } catch (cause) {
      signal.throwIfAborted();
      throw new PgherdError({
        code: 'undo-failed',
        message: `the fault is not undone (${entry.description}): ${messageOf(cause)}`,
        detail: cause instanceof PgherdError ? cause.detail : undefined,
        hint: 'it stays registered: `pgherd drill clean` tries again',
        cause,
      });
    }
  }
}

export function remoteFaults(
  client: KubeClient,
  cluster: LiveObject,
  look: FaultContext['look'],
): RemoteFaults {
  const { name, namespace = 'default' } = cluster.metadata;
  const runIn =
    (container: string): RunInside =>
    (pod, words, signal) =>
      exec(client, { namespace, pod, container }, words, { timeoutMs: COMMAND_MS, signal });
  return new RemoteFaults(
    {
      client,
      cluster: name,
      namespace,
      look,
      run: runIn(MEMBER_CONTAINER),
      runInPooler: runIn(POOLER_CONTAINER),
      async poolerPods(pooler, signal) {
        const labelSelector = selectorText(poolerSelector(pooler));
        const { items } = await client.list('Pod', { namespace, labelSelector }, signal);
        const runs = items.filter(pod => (pod.status as { phase?: string } | undefined)?.phase === 'Running');
        return runs.map(pod => pod.metadata.name);
      },
    },
    cluster,
  );
}
