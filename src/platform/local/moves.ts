/** What planned moves and restarts of the primary are made of on this machine. */
import type { ClusterSpec } from '../../core/manifest/spec.ts';
import type { ClientHold, HoldLimits, Moves, StopGate } from '../contract.ts';
import { insideTarget } from './access.ts';
import type { ClientPool } from './clients.ts';
import { FrontGate } from './frontGate.ts';
import { handOn } from './handOn.ts';
import type { Paths } from './layout.ts';
import { awaitOtherPrimary } from './otherPrimary.ts';
import { connectInside } from './primarySql.ts';
import type { ClusterRecord } from './record.ts';
import type { SecretStore } from './secrets.ts';
import { memberSocketDir } from './serviceParts.ts';
import { shutStopGate } from './stopGate.ts';

export interface LocalMovesInput {
  /** Prefix of the cluster's keys in the DCS. */
  scope: string;
  spec: ClusterSpec;
  paths: Paths;
  record(): ClusterRecord;
  clients: ClientPool;
  secrets: SecretStore;
}

export class LocalMoves implements Moves, Disposable {
  readonly #input: LocalMovesInput;
  readonly #gate: FrontGate;

  constructor(input: LocalMovesInput) {
    this.#input = input;
    this.#gate = new FrontGate(input.spec, input.paths, input.secrets);
  }

  /** Whoever will hold clients in a hurry gets ready before. */
  prepare(): void {
    this.#gate.prepare(this.#input.record());
  }

  async holdClients(limits: HoldLimits): Promise<ClientHold> {
    return await this.#gate.hold(this.#input.record(), limits);
  }

  async shutStopGate(member: string): Promise<StopGate> {
    this.prepare();
    return await shutStopGate(memberSocketDir(this.#input.paths, member));
  }

  async checkpoint(member: string, signal: AbortSignal): Promise<void> {
    const { record, paths } = this.#input;
    await using session = await connectInside(insideTarget(record(), paths, member), signal);
    await session.query('CHECKPOINT');
  }

  async awaitOtherPrimary(
    than: string,
    options: { timeoutMs: number; signal: AbortSignal },
  ): Promise<string> {
    const { paths, record } = this.#input;
    return await awaitOtherPrimary(paths, record(), than, options);
  }

  async handOn(member: string, signal: AbortSignal): Promise<string[]> {
    const { scope, paths, record, clients } = this.#input;
    return await handOn(member, { scope, paths, record: record(), clients }, signal);
  }

  [Symbol.dispose](): void {
    this.#gate[Symbol.dispose]();
  }
}
