/** What planned moves and restarts of the primary are made of on Kubernetes: shells in poolers and members, the API server. */
import { PgherdError } from '../../../lib/errors.ts';
import { poll } from '../../../lib/time.ts';
import type { ClientHold, HoldLimits, Moves } from '../../contract.ts';
import type { KubeClient } from '../api/client.ts';
import { type ExecTarget, exec } from '../api/exec.ts';
import { handOn } from '../patroni/handOn.ts';
import { readDcs } from '../patroni/leaderKey.ts';
import type { DcsContext } from '../patroni/write.ts';
import { type HoldShells, holdPoolers } from '../poolers/hold.ts';

const CHECKPOINT_MS = 30_000;

export interface RemoteMovesInput {
  client: KubeClient;
  shells: HoldShells;
  container(pod: string): ExecTarget;
  dcs(signal: AbortSignal): DcsContext;
  look(signal: AbortSignal): Promise<unknown>;
}

export class RemoteMoves implements Moves, Disposable {
  readonly #input: RemoteMovesInput;

  constructor(input: RemoteMovesInput) {
    this.#input = input;
  }

  /** Opens what `holdClients` will need. Never rejects. */
  async warm(): Promise<void> {
    await this.#input.shells.warm();
  }

  async holdClients(limits: HoldLimits): Promise<ClientHold> {
    return await holdPoolers(this.#input.shells, limits);
  }

  /** What Patroni would call lies in an image: there is nothing of ours in it. */
  async shutStopGate(): Promise<undefined> {
    return undefined;
  }

  async checkpoint(member: string, signal: AbortSignal): Promise<void> {
    const { client, container, look } = this.#input;
    const words = ['psql', '-X', '-q', '-U', 'postgres', '-d', 'postgres', '-c', 'CHECKPOINT'];
    const [{ code, stderr }] = await Promise.all([
      exec(client, container(member), words, { timeoutMs: CHECKPOINT_MS, signal }),
      // The first look takes a while, and clients are not held yet; so do the shells.
      look(signal),
      this.warm(),
    ]);
    if (code === 0) return;
    throw new PgherdError({
      code: 'checkpoint-failed',
      message: `${member} did not do a checkpoint`,
      detail: stderr.trim().slice(-500),
    });
  }

  async awaitOtherPrimary(
    than: string,
    { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
  ): Promise<string> {
    const { dcs, shells } = this.#input;
    return poll(
      async inner => {
        const { key } = await readDcs(dcs(inner));
        const holder = key?.holder;
        if (holder === undefined || holder === than) return undefined;
        return (await shells.takesWrites(holder)) ? holder : undefined;
      },
      { what: `another primary than ${than}`, timeoutMs, everyMs: 30, signal },
    );
  }

  async handOn(member: string, signal: AbortSignal): Promise<string[]> {
    const { container, dcs } = this.#input;
    return await handOn(container(member), dcs(signal));
  }

  [Symbol.dispose](): void {
    void this.#input.shells[Symbol.asyncDispose]();
  }
}
