import type { KubeClient } from '../api/client.ts';
import { Conversation } from '../api/conversation.ts';
import type { LiveObject } from '../api/kinds.ts';

export const OPEN_MS = 3_000;

export interface ShellsInput {
  client: KubeClient;
  /** The pods that there are now. */
  pods(): Promise<LiveObject[]>;
  container: string;
  script: string;
  words: readonly string[];
}

export interface Shell {
  /** Name of its pod. */
  pod: string;
  ip: string;
  talk: Conversation;
}

/** A shell in each of some pods, opened before it is needed: an exec takes some 100 ms of a busy API server. */
export class Shells implements AsyncDisposable {
  readonly #input: ShellsInput;
  /** By uid of the pod. */
  readonly #open = new Map<string, Opened>();

  constructor(input: ShellsInput) {
    this.#input = input;
  }

  /** One to each pod that runs now, but to those where none can be had. Never rejects. */
  async all(): Promise<Shell[]> {
    const found = await this.#input.pods().catch(() => []);
    const pods = found.filter(isRunning);
    for (const [uid, { opening }] of this.#open) {
      if (pods.some(pod => pod.metadata.uid === uid)) continue;
      this.#open.delete(uid);
      void opening.then(shell => shell?.talk[Symbol.asyncDispose]());
    }
    for (const pod of pods) {
      if (this.#open.get(pod.metadata.uid)?.usable() !== true) {
        this.#open.set(pod.metadata.uid, new Opened(this.#converse(pod)));
      }
    }
    const open = await Promise.all([...this.#open.values()].map(({ opening }) => opening));
    return open.filter(shell => shell !== undefined);
  }

  /** The one in this pod, if it can be had. Never rejects. */
  async in(pod: string): Promise<Shell | undefined> {
    for (const { opening } of this.#open.values()) {
      const shell = await opening;
      if (shell?.pod === pod && shell.talk.alive) return shell;
    }
    return (await this.all()).find(shell => shell.pod === pod);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const open = await Promise.all([...this.#open.values()].map(({ opening }) => opening));
    this.#open.clear();
    await Promise.all(open.map(shell => shell?.talk[Symbol.asyncDispose]()));
  }

  async #converse({ metadata, status }: LiveObject): Promise<Shell> {
    const { client, container, script, words } = this.#input;
    const target = { namespace: metadata.namespace ?? 'default', pod: metadata.name, container };
    // The signal ends the opening only: a conversation outlives it.
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), OPEN_MS);
    try {
      const talk = await Conversation.open(client, target, script, words, controller.signal);
      await talk.ask('hello', OPEN_MS);
      return { pod: metadata.name, ip: (status as PodStatus).podIP ?? '', talk };
    } finally {
      clearTimeout(timer);
    }
  }
}

/** A shell, from when it is being opened on. */
class Opened {
  readonly opening: Promise<Shell | undefined>;
  #shell: Shell | 'opening' | undefined = 'opening';

  constructor(opening: Promise<Shell>) {
    const note = (shell: Shell | undefined) => {
      this.#shell = shell;
      return shell;
    };
    this.opening = opening.then(note, () => note(undefined));
  }

  usable(): boolean {
    return this.#shell === 'opening' || this.#shell?.talk.alive === true;
  }
}

interface PodStatus {
  podIP?: string;
  phase?: string;
}

function isRunning({ metadata, status }: LiveObject): boolean {
  const { podIP, phase } = (status ?? {}) as PodStatus;
  return metadata.deletionTimestamp === undefined && podIP !== undefined && phase === 'Running';
}
