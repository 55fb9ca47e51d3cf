import type { LiveObject } from '../api/kinds.ts';

/** How a person names an object: namespace/name. */
export function keyOf(object: { metadata: { namespace?: string; name: string } }): string {
  const { namespace, name } = object.metadata;
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** Objects of one kind as last seen, findable by name and by a group such as the cluster they belong to. */
export class Store {
  readonly #objects = new Map<string, LiveObject>();
  readonly #groups = new Map<string, Set<string>>();
  readonly #groupOf: (object: LiveObject) => string | undefined;

  constructor(groupOf: (object: LiveObject) => string | undefined) {
    this.#groupOf = groupOf;
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): LiveObject | undefined {
    return this.#objects.get(key);
  }

  all(): IterableIterator<LiveObject> {
    return this.#objects.values();
  }

  group(name: string): LiveObject[] {
    const keys = this.#groups.get(name);
    if (keys === undefined) return [];
    return [...keys].flatMap(key => this.#objects.get(key) ?? []);
  }

  /** Takes an object in; returns what stood in its place. */
  set(object: LiveObject): LiveObject | undefined {
    const key = keyOf(object);
    const previous = this.#objects.get(key);
    if (previous !== undefined) this.#ungroup(key, previous);
    this.#objects.set(key, object);
    const group = this.#groupOf(object);
    if (group !== undefined) {
      const members = this.#groups.get(group) ?? new Set();
      this.#groups.set(group, members.add(key));
    }
    return previous;
  }

  delete(key: string): LiveObject | undefined {
    const previous = this.#objects.get(key);
    if (previous === undefined) return undefined;
    this.#objects.delete(key);
    this.#ungroup(key, previous);
    return previous;
  }

  keys(): string[] {
    return [...this.#objects.keys()];
  }

  #ungroup(key: string, object: LiveObject): void {
    const group = this.#groupOf(object);
    if (group === undefined) return;
    const members = this.#groups.get(group);
    members?.delete(key);
    if (members?.size === 0) this.#groups.delete(group);
  }
}
