/** Carries out the steps of a scenario on a cluster, and keeps what was injected so that every way out undoes it. */
import type { Fault } from '../../core/drill/fault.ts';
import type { DrillStep, Lease, Rehearsal, Scenario, Situation } from '../../core/drill/scenario.ts';
import type { Observation } from '../../core/topology/observation.ts';
import { PgherdError } from '../../lib/errors.ts';
import { sleep } from '../../lib/time.ts';
import type { ApplyContext, Injection, PlatformCluster } from '../../platform/contract.ts';
import type { LedgerLoad } from '../load/ledgerLoad.ts';
import { rehearse } from '../rehearse/index.ts';
import { storm } from './storm.ts';
import { now, type Watch } from './watch.ts';

/** What a drill needs of its surroundings beyond the cluster: commands as a person would type them. */
export interface Operations {
  /** `pgherd up` with the manifest that was applied. */
  up(context: ApplyContext): Promise<void>;
  switchover(context: ApplyContext): Promise<void>;
  reinit(member: string, context: ApplyContext): Promise<void>;
  /** Begins a command in a process of its own and kills it after so long; resolves with what happened. */
  crash(
    command: 'restart' | 'switchover' | 'backup',
    afterMs: number,
    signal: AbortSignal,
    words?: readonly string[],
  ): Promise<string>;
  /** `pgherd restore NAME --as NEWNAME`; the caller destroys it. */
  clone(name: string, context: ApplyContext): Promise<PlatformCluster>;
}

export interface Performed {
  /** Unix milliseconds of the first injection. */
  injectedAt: number;
  /** Who was primary then. */
  primary: string;
  /** What was done, exactly, in order. */
  injections: string[];
  /** Why an injection was weaker than asked for. */
  weaker: string[];
  /** When the scenario took its last fault back; undefined: it leaves that to the cluster. */
  undoneAt: number | undefined;
  notes: string[];
  /** What of the backups was not as promised. */
  broken: string[];
}

export interface Stage {
  cluster: PlatformCluster;
  load: LedgerLoad;
  watch: Watch;
  operations: Operations;
  lease: Lease;
  login: { database: string };
  context: ApplyContext;
}

/** How long an undo may take on the way out, when the drill's own signal may have been aborted. */
const UNDO_MS = 60_000;

export class Performance implements AsyncDisposable {
  readonly result: Performed;
  readonly #stage: Stage;
  readonly #standing: { kind: Fault['kind']; injection: Injection }[] = [];
  #primaryBefore: string;
  /** The member of the last injection that had one. */
  #broken = '';

  constructor(stage: Stage, primary: string) {
    this.#stage = stage;
    this.#primaryBefore = primary;
    this.result = {
      injectedAt: 0,
      primary,
      injections: [],
      weaker: [],
      undoneAt: undefined,
      notes: [],
      broken: [],
    };
  }

  async perform({ steps }: Scenario): Promise<void> {
    for (const step of steps) {
      this.#stage.context.signal.throwIfAborted();
      await this.#step(step);
    }
  }

  /** Takes back what stands, also after an abort. */
  async undoAll(): Promise<void> {
    await this.#undo(undefined, AbortSignal.timeout(UNDO_MS));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.undoAll();
  }

  async #step(step: DrillStep): Promise<void> {
    const { context, lease, load, watch, operations } = this.#stage;
    const { signal } = context;
    switch (step.do) {
      case 'inject':
        return await this.#inject(step.faults(await this.#situation()));
      case 'wait':
        context.progress(`the fault stands for ${Math.round(step.ms(lease) / 1000)} s`);
        return await sleep(step.ms(lease), signal);
      case 'undo':
        context.progress('taking the fault back');
        await this.#undo(step.kind, signal);
        this.result.undoneAt = now();
        return;
      case 'await-primary':
        context.progress('waiting for another primary');
        return await until(
          () => watch.primary !== undefined && watch.primary !== this.#primaryBefore,
          step.ms,
          signal,
        );
      case 'await-writes':
        context.progress('waiting for writes to be acknowledged');
        return await load
          .untilAnswered(load.endpointPaths('write'), step.ms, signal)
          .catch(error => this.#tolerate(error, signal));
      case 'switchover':
        this.#began(now(), 'pgherd switchover');
        return await operations.switchover(context);
      case 'up':
        context.progress('pgherd up');
        return await operations.up(context);
      case 'reinit':
        context.progress(`pgherd reinit ${this.#broken}`);
        return await operations.reinit(this.#broken, context);
      case 'storm':
        this.#began(now(), `${step.clients} clients connect through the pooler`);
        this.result.notes.push(...(await storm(this.#stage.cluster, load, step.clients, context)));
        return;
      case 'rehearse':
        return await this.#rehearse(step.what);
      case 'crash-command':
        for (const afterMs of step.afterMs) {
          context.progress(`pgherd ${step.command}, killed after ${afterMs} ms`);
          this.result.injections.push(await operations.crash(step.command, afterMs, signal));
        }
    }
  }

  async #rehearse(what: Rehearsal): Promise<void> {
    const { cluster, operations, load, context, login } = this.#stage;
    const [repository = ''] = cluster.backups.repositories;
    const outcome = await rehearse(what, {
      cluster,
      operations,
      context,
      database: login.database,
      repository,
      sofar: () => load.sofar(),
      began: description => this.#began(now(), description),
    });
    this.result.notes.push(...outcome.notes);
    this.result.broken.push(...outcome.broken);
  }

  /** Writes that do not come back are the drill's result, not its failure. */
  #tolerate(error: unknown, signal: AbortSignal): void {
    signal.throwIfAborted();
    this.result.notes.push(
      error instanceof PgherdError ? `${error.message}: ${error.detail}` : String(error),
    );
  }

  #began(at: number, description: string): void {
    const { result } = this;
    if (result.injectedAt === 0) result.injectedAt = at;
    result.injections.push(description);
  }

  /** Who is what, now. While there is no single primary, the last one counts: a drill may tear the cluster further. */
  async #situation(): Promise<Situation> {
    const { cluster, watch, context } = this.#stage;
    const observed = await cluster.observe({ catalog: false, withoutConfig: true }, context.signal);
    return situationOf(observed, watch.primary ?? this.#primaryBefore, cluster.backups.repositories);
  }

  async #inject(faults: Fault[]): Promise<void> {
    if (faults.length === 0) this.result.notes.push('a step was left out: there was nobody to do it to');
    const { cluster, context, watch } = this.#stage;
    this.#primaryBefore = watch.primary ?? this.#primaryBefore;
    if (this.result.injectedAt === 0) this.result.primary = this.#primaryBefore;
    for (const fault of faults) {
      if ('member' in fault) this.#broken = fault.member;
      const injection = await cluster.faults.inject(fault, context.signal);
      this.#standing.push({ kind: fault.kind, injection });
      this.#began(injection.at, injection.description);
      if (injection.weaker !== undefined) this.result.weaker.push(injection.weaker);
      context.progress(`injected: ${injection.description}`);
    }
  }

  async #undo(kind: Fault['kind'] | undefined, signal: AbortSignal): Promise<void> {
    const chosen = this.#standing.filter(standing => kind === undefined || standing.kind === kind);
    for (const standing of chosen.reverse()) {
      await standing.injection.undo(signal);
      this.#standing.splice(this.#standing.indexOf(standing), 1);
    }
  }
}

export function situationOf(observed: Observation, primary: string, repositories: string[]): Situation {
  const named = (kind: string) =>
    observed.components.filter(component => component.kind === kind).map(component => component.name);
  const standbys = observed.members.filter(member => member.name !== primary);
  return {
    primary,
    synchronous: standbys.find(member => member.synchronous)?.name,
    standbys: standbys.map(member => member.name),
    voters: named('etcd'),
    poolers: named('pooler'),
    proxy: named('proxy')[0],
    repositories,
  };
}

/** Waits for a condition; that it does not come is for the report to tell. */
async function until(condition: () => boolean, ms: number, signal: AbortSignal): Promise<void> {
  const end = now() + ms;
  while (!condition() && now() < end) await sleep(50, signal);
}
