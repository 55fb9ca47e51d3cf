import { type MemberView, type PatroniView, primaryOf } from '../../patroni/view.ts';
import type { RollInput, RollStep } from '../decide.ts';

export interface Wish {
  template: string;
  /** Pods of this template never start. */
  broken: boolean;
  instances: number;
  cordoned: string[];
}

/** A member in good health, for tests that change one thing about it. */
export function member(name: string, change: Partial<MemberView> = {}): MemberView {
  const ordinal = Number(name.slice(name.lastIndexOf('-') + 1));
  return {
    name,
    ordinal,
    uid: `${name}#0`,
    role: 'standby',
    state: 'streaming',
    timeline: 1,
    position: 1000,
    pendingRestart: false,
    waitsForPrimary: false,
    synchronous: false,
    ready: true,
    well: true,
    terminating: false,
    templateHash: 'old',
    node: `node-${ordinal}`,
    obstacle: undefined,
    ip: undefined,
    ...change,
  };
}

/**
 * A StatefulSet and a Patroni reduced to what matters for rolling: pods come back from the template of the moment and
 * take a while (or for ever, if it is broken); a switchover is done a tick after it was asked for; of the standbys that
 * are well one is synchronous.
 */
export class World {
  members: MemberView[] = [];
  leader: string | undefined;
  replicas: number;
  wish: Wish;
  /** A member that is made anew gets a new volume. */
  readonly lostVolumes = new Map<string, 'leaving' | 'gone'>();
  readonly #synchronousMode: boolean;
  #incarnation = 0;
  #move: string | undefined;
  /** Ticks until a pod that was made serves. */
  readonly #starting = new Map<string, number>();

  constructor(instances: number, synchronousMode: boolean) {
    this.replicas = instances;
    this.#synchronousMode = synchronousMode;
    this.wish = { template: 'old', broken: false, instances, cordoned: [] };
    for (let n = 0; n < instances; n++) this.members.push(member(`demo-${n}`));
    this.#promote('demo-0');
  }

  input(): RollInput {
    return {
      view: this.view(),
      templateHash: this.wish.template,
      wanted: this.wish.instances,
      replicas: this.replicas,
      synchronousMode: this.#synchronousMode && this.wish.instances > 1,
      cordoned: new Set(this.wish.cordoned),
      lostVolumes: this.lostVolumes,
    };
  }

  view(): PatroniView {
    return {
      members: this.members.map(item => ({ ...item })),
      leader: this.leader,
      stale: false,
      ttlSeconds: 20,
      config: {},
      configVersion: '1',
      paused: false,
      switchoverPending: this.#move !== undefined,
      initialised: true,
    };
  }

  apply(step: RollStep): void {
    switch (step.kind) {
      case 'delete-pod':
        this.members = this.members.filter(({ name }) => name !== step.pod);
        if (this.leader === step.pod) this.leader = undefined;
        break;
      case 'switchover':
        this.#move = step.to;
        break;
      case 'restart-member':
        this.members = this.members.map(item =>
          item.name === step.member ? { ...item, pendingRestart: false } : item,
        );
        break;
      case 'scale':
        this.replicas = step.to;
        this.members = this.members.filter(({ ordinal }) => ordinal < step.to);
        break;
      default:
    }
  }

  /** Time passes: pods are made and start, moves are done. `speed`: ticks that the next pod takes. */
  tick(speed: number): void {
    for (let n = 0; n < this.replicas; n++) {
      const name = `demo-${n}`;
      if (this.members.some(item => item.name === name)) continue;
      this.lostVolumes.delete(name);
      this.#incarnation += 1;
      this.members.push(
        member(name, {
          uid: `${name}#${this.#incarnation}`,
          templateHash: this.wish.template,
          ...UNBORN,
          obstacle: this.wish.broken ? { reason: 'ImagePullBackOff', message: 'no such image' } : undefined,
        }),
      );
      this.#starting.set(name, speed);
    }
    this.members.sort((a, b) => a.ordinal - b.ordinal);
    for (const item of this.members) {
      const left = this.#starting.get(item.name);
      if (left === undefined || item.obstacle !== undefined) continue;
      if (left > 0) this.#starting.set(item.name, left - 1);
      else if (this.leader !== undefined || this.members.every(other => !other.well)) {
        this.#starting.delete(item.name);
        Object.assign(item, { role: 'standby', state: 'streaming', ready: true, well: true });
        if (this.leader === undefined) this.#promote(item.name);
      }
    }
    if (this.#move !== undefined) {
      if (this.members.some(item => item.name === this.#move && item.well)) this.#promote(this.#move);
      this.#move = undefined;
    }
    this.#electSynchronous();
  }

  #promote(name: string): void {
    this.leader = name;
    for (const item of this.members) {
      if (!item.well) continue;
      Object.assign(item, item.name === name ? PRIMARY : STANDBY);
    }
    this.#electSynchronous();
  }

  #electSynchronous(): void {
    const primary = primaryOf(this.view());
    let free = this.#synchronousMode;
    for (const item of this.members) {
      item.synchronous = free && item.well && item.name !== primary?.name;
      if (item.synchronous) free = false;
    }
  }
}

const PRIMARY: Partial<MemberView> = { role: 'primary', state: 'running' };
const STANDBY: Partial<MemberView> = { role: 'standby', state: 'streaming' };
const UNBORN: Partial<MemberView> = { role: undefined, state: undefined, ready: false, well: false };
