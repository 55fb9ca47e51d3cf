/**
 * Holding clients back at the pods of the primary's pooler while the primary moves. What pauses a pooler is a shell in
 * its own container (script.ts), which lets clients go on by itself when whoever holds them dies. They are let go once a
 * new connection of that pooler was seen to arrive at the new primary: labels, Endpoints and the rules of each node's
 * kube-proxy follow the primary some hundred milliseconds later, and a client that went on before would meet the old one.
 */
import { sleep } from '../../../lib/time.ts';
import type { ClientHold, HoldLimits } from '../../contract.ts';
import type { KubeClient } from '../api/client.ts';
import type { LiveObject } from '../api/kinds.ts';
import { memberSelector, PRIMARY_ROLE, poolerSelector, ROLE_LABEL } from '../objects/labels.ts';
import { POOLER_RUN_DIRECTORY } from '../objects/layout.ts';
import { MEMBER_CONTAINER, POSTGRES_PORT, poolerNames, serviceName } from '../objects/names.ts';
import { POOLER_CONTAINER, POOLER_PROCESS } from '../objects/pooler.ts';
import { addressOf, canonical } from './addresses.ts';
import { MEMBER_SCRIPT, POOLER_SCRIPT, TRIED } from './script.ts';
import { OPEN_MS, type Shell, Shells } from './shells.ts';

const ANSWER_MS = 1_500;
/** The shell resumes after 2 s without a word. */
const BEAT_MS = 400;
const DRAIN_EVERY_MS = 40;
const LOOK_EVERY_MS = 40;
/** A way that cannot be proven (addresses translated on it) is waited for so long, from the first try on. */
const PROOF_MS = 2_500;
/** For the connections of one try to arrive. */
const TRY_MS = 200;
const LEAD_MS = 8_000;

export interface PoolersInput {
  client: KubeClient;
  namespace: string;
  cluster: string;
  /** Pods of the cluster and its poolers, where somebody watches them. */
  watched?: (() => Promise<LiveObject[]>) | undefined;
}

/** The shells that a hold needs: in the pods of the primary's pooler, and in the members. */
export class HoldShells implements AsyncDisposable {
  readonly input: PoolersInput;
  readonly poolers: Shells;
  readonly members: Shells;

  constructor(input: PoolersInput) {
    this.input = input;
    const { client, cluster } = input;
    const port = String(POSTGRES_PORT);
    this.poolers = new Shells({
      client,
      pods: () => podsOf(poolerSelector(poolerNames(cluster).pooler), input),
      container: POOLER_CONTAINER,
      script: POOLER_SCRIPT,
      words: [POOLER_RUN_DIRECTORY, serviceName(cluster, 'primary'), port, POOLER_PROCESS],
    });
    this.members = new Shells({
      client,
      pods: () => podsOf(memberSelector(cluster), input),
      container: MEMBER_CONTAINER,
      script: MEMBER_SCRIPT,
      words: [port],
    });
  }

  /** Opens all that are missing. Never rejects. */
  async warm(): Promise<void> {
    await Promise.all([this.poolers.all(), this.members.all()]);
  }

  /** Whether PostgreSQL of this member takes writes; false: or it does not say so. Never rejects. */
  async takesWrites(member: string): Promise<boolean> {
    const shell = await this.members.in(member);
    return (await shell?.talk.ask('writable', ANSWER_MS).catch(() => 'no')) === 'yes';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.poolers[Symbol.asyncDispose](), this.members[Symbol.asyncDispose]()]);
  }
}

/** Contract: Moves.holdClients. Nobody past the poolers can be turned away here. */
export async function holdPoolers(
  shells: HoldShells,
  { limitMs, drainMs }: Pick<HoldLimits, 'limitMs' | 'drainMs'>,
): Promise<ClientHold> {
  const word = `hold ${Math.max(1, Math.ceil(limitMs / 1000))}`;
  const before = labelled(shells.input).catch((): string[] => []);
  const poolers = await shells.poolers.all();
  const answers = await Promise.all(poolers.map(({ talk }) => talk.ask(word, ANSWER_MS).catch(() => '')));
  const held = poolers.filter((_, n) => answers[n] === 'held');
  const beat = setInterval(() => {
    for (const { talk } of held) talk.ask('beat', ANSWER_MS).catch(() => {});
  }, BEAT_MS);
  const drained = (await untilDrained(held, drainMs)) && held.length === poolers.length;
  const go = async (primary: string | undefined): Promise<void> => {
    const waiting = new Set(held);
    const resume = async (poolers: readonly Shell[]) => {
      for (const pooler of poolers) waiting.delete(pooler);
      await Promise.all(poolers.map(({ talk }) => talk.ask('go', ANSWER_MS).catch(() => {})));
    };
    try {
      // Where nothing has moved, nothing has to follow.
      const moved = primary !== undefined && !(await before).includes(primary);
      if (moved && held.length > 0) await untilLed(waiting, primary, shells, resume);
    } catch {
      // Whatever it was: clients wait no longer for it.
    } finally {
      await resume([...waiting]);
      clearInterval(beat);
    }
  };
  let released: Promise<void> | undefined;
  const release = (primary?: string): Promise<void> => {
    released ??= go(primary);
    return released;
  };
  const aim = async (primary: string) => void (await shells.members.in(primary));
  return { drained, aim, release, [Symbol.asyncDispose]: () => release() };
}

/** Resolves with whether no pooler has a connection to its server any more. */
async function untilDrained(held: readonly Shell[], drainMs: number): Promise<boolean> {
  const until = performance.now() + drainMs;
  for (;;) {
    // PgBouncer takes a signal in the next turn of its loop.
    await sleep(DRAIN_EVERY_MS, AbortSignal.timeout(ANSWER_MS));
    const counts = await Promise.all(held.map(({ talk }) => talk.ask('beat', ANSWER_MS).catch(() => '0')));
    if (counts.every(count => count === '0')) return true;
    if (performance.now() >= until) return false;
  }
}

/** Lets each pooler go on as soon as its connections arrive at the primary. Rejects when that cannot be found out. */
async function untilLed(
  waiting: ReadonlySet<Shell>,
  primary: string,
  shells: HoldShells,
  resume: (poolers: readonly Shell[]) => Promise<void>,
): Promise<void> {
  const signal = AbortSignal.timeout(LEAD_MS);
  await Promise.all([
    until(() => shells.takesWrites(primary), signal),
    until(async () => (await labelled(shells.input)).join() === primary, signal),
  ]);
  const member = await shells.members.in(primary);
  const began = performance.now();
  while (member !== undefined && waiting.size > 0 && performance.now() - began < PROOF_MS) {
    await Promise.all([...waiting].map(({ talk }) => talk.ask('try', ANSWER_MS).catch(() => {})));
    const until = performance.now() + TRY_MS;
    while (waiting.size > 0 && performance.now() < until) {
      await sleep(LOOK_EVERY_MS, signal);
      const peers = (await member.talk.ask('peers', ANSWER_MS)).split(' ').map(addressOf);
      const arrived = ({ ip }: Shell) => peers.filter(peer => peer === canonical(ip)).length >= TRIED;
      await resume([...waiting].filter(arrived));
    }
  }
}

/** Members with the label by which Services find the primary. */
async function labelled(input: PoolersInput): Promise<string[]> {
  const pods = await podsOf({ ...memberSelector(input.cluster), [ROLE_LABEL]: PRIMARY_ROLE }, input);
  return pods.map(({ metadata }) => metadata.name);
}

async function until(holds: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  while (!(await holds())) await sleep(LOOK_EVERY_MS, signal);
}

async function podsOf(
  labels: Record<string, string>,
  { client, namespace, watched }: PoolersInput,
): Promise<LiveObject[]> {
  if (watched === undefined) {
    const labelSelector = selectorOf(labels);
    return (await client.list('Pod', { namespace, labelSelector }, AbortSignal.timeout(OPEN_MS))).items;
  }
  const fits = ({ metadata }: LiveObject) =>
    Object.entries(labels).every(([key, value]) => metadata.labels?.[key] === value);
  return (await watched()).filter(fits);
}

function selectorOf(labels: Record<string, string>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}
