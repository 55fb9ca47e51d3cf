import { sleep } from '../../../lib/time.ts';
import type { KubeClient, Selection } from '../api/client.ts';
import { ApiForbiddenError, ApiGoneError } from '../api/errors.ts';
import type { Kind, LiveObject } from '../api/kinds.ts';
import { watch } from '../api/watch.ts';
import { backoff } from '../queue/backoff.ts';
import { keyOf, Store } from './store.ts';

export interface InformerOptions {
  kind: Kind;
  selection: Selection;
  /** Without the right to see these the rest works all the same: they count as none. */
  optional?: boolean;
  groupOf(object: LiveObject): string | undefined;
  /** `object` undefined: it is gone. `previous` undefined: it is new. */
  onChange(object: LiveObject | undefined, previous: LiveObject | undefined): void;
  /** The list or watch failed; it is tried again. */
  onTrouble(error: unknown): void;
}

const RETRY = { baseMs: 200, maxMs: 15_000 };
/** Watches have been known to lose events without a word: everything is listed anew this often. */
const RELIST_MS = 30 * 60_000;

/**
 * A copy of one kind's objects, kept by list and watch. Every change is told once; after a broken watch it continues
 * where it was, and where the server has forgotten that (410) it lists anew and tells the differences.
 */
export class Informer {
  readonly store: Store;
  readonly #client: KubeClient;
  readonly #options: InformerOptions;
  readonly #ready = Promise.withResolvers<void>();
  #connected = false;
  #forbidden: ApiForbiddenError | undefined;

  constructor(client: KubeClient, options: InformerOptions) {
    this.#client = client;
    this.#options = options;
    this.store = new Store(options.groupOf);
  }

  /** Resolves when the first list is in, or was refused. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** False while what we know may be old. */
  get connected(): boolean {
    return this.#connected;
  }

  /** What the role lacks, while that is why we are not connected. */
  get forbidden(): ApiForbiddenError | undefined {
    return this.#connected ? undefined : this.#forbidden;
  }

  /** Whether objects of the namespace are seen here. */
  covers(namespace: string | undefined): boolean {
    const { selection } = this.#options;
    return selection.namespace === undefined || selection.namespace === namespace;
  }

  get kind(): Kind {
    return this.#options.kind;
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    let version: string | undefined;
    let failures = 0;
    let listedAt = 0;
    while (!signal.aborted) {
      try {
        if (version === undefined || performance.now() - listedAt > RELIST_MS) {
          version = await this.#relist(signal);
          listedAt = performance.now();
        }
        for await (const event of this.#watch(version, signal)) {
          this.#connected = true;
          version = event;
          failures = 0;
        }
      } catch (error) {
        if (signal.aborted) break;
        if (error instanceof ApiGoneError) version = undefined;
        else {
          this.#options.onTrouble(error);
          this.#forbidden = error instanceof ApiForbiddenError ? error : undefined;
          // Whoever waits for the first list can go on without this one, or has to say what is missing.
          if (this.#forbidden !== undefined) this.#ready.resolve();
          this.#connected = this.#forbidden !== undefined && this.#options.optional === true;
        }
        await sleep(backoff(failures++, RETRY, Math.random()), signal).catch(() => {});
      }
    }
  }

  async #relist(signal: AbortSignal): Promise<string> {
    const { kind, selection, onChange } = this.#options;
    const { items, resourceVersion } = await this.#client.list(kind, selection, signal);
    const seen = new Set(items.map(keyOf));
    for (const key of this.store.keys()) if (!seen.has(key)) onChange(undefined, this.store.delete(key));
    for (const object of items) this.#take(object);
    this.#ready.resolve();
    return resourceVersion;
  }

  #take(object: LiveObject): void {
    const previous = this.store.set(object);
    const same =
      previous?.metadata.resourceVersion === object.metadata.resourceVersion &&
      previous.metadata.uid === object.metadata.uid;
    if (!same) this.#options.onChange(object, previous);
  }

  /** The resource version after each event. */
  async *#watch(from: string, signal: AbortSignal): AsyncGenerator<string> {
    const { kind, selection, onChange } = this.#options;
    for await (const event of watch(this.#client, kind, selection, from, signal)) {
      if (event.type === 'BOOKMARK') {
        yield event.resourceVersion;
        continue;
      }
      if (event.type === 'DELETED')
        onChange(undefined, this.store.delete(keyOf(event.object)) ?? event.object);
      else this.#take(event.object);
      yield event.object.metadata.resourceVersion;
    }
  }
}
