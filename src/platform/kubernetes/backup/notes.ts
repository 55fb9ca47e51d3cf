import type { BackupMemory } from '../../contract.ts';
import type { KubeClient } from '../api/client.ts';
import { ApiConflictError, ApiNotFoundError } from '../api/errors.ts';
import type { LiveObject } from '../api/kinds.ts';
import { parsedJson } from '../api/parsedJson.ts';
import { memberSelector } from '../objects/labels.ts';
import { repositoryHostName } from '../objects/names.ts';

const REQUEST_MS = 15_000;

/** Small documents about a cluster's backups: keys of a ConfigMap that goes with the manifest. */
export class ConfigMapNotes implements BackupMemory {
  readonly #client: KubeClient;
  readonly #owner: LiveObject;

  constructor(client: KubeClient, owner: LiveObject) {
    this.#client = client;
    this.#owner = owner;
  }

  async read(name: string): Promise<unknown> {
    return readNote(await this.#client.get(this.#ref, AbortSignal.timeout(REQUEST_MS)), name);
  }

  async write(name: string, document: unknown): Promise<void> {
    const signal = AbortSignal.timeout(REQUEST_MS);
    const data = { [`${name}.json`]: JSON.stringify(document) };
    try {
      await this.#client.merge(this.#ref, { data }, signal);
    } catch (error) {
      if (!(error instanceof ApiNotFoundError)) throw error;
      try {
        const { kind, namespace, name: own } = this.#ref;
        const metadata = {
          namespace,
          name: own,
          labels: memberSelector(this.#owner.metadata.name),
          ownerReferences: [ownedBy(this.#owner)],
        };
        await this.#client.create({ apiVersion: 'v1', kind, metadata, data }, signal);
      } catch (conflict) {
        if (!(conflict instanceof ApiConflictError)) throw conflict;
        await this.#client.merge(this.#ref, { data }, signal);
      }
    }
  }

  get #ref() {
    const { name, namespace } = this.#owner.metadata;
    return { kind: 'ConfigMap', namespace, name: repositoryHostName(name) } as const;
  }
}

/** One of the documents; undefined: never written, or unreadable. */
export function readNote(map: LiveObject | undefined, name: string): unknown {
  return parsedJson(((map?.data ?? {}) as Record<string, string>)[`${name}.json`]);
}

/** Goes with the manifest, and is not among what the operator compares with the manifest. */
export function ownedBy({ metadata: { name, uid } }: LiveObject) {
  return { apiVersion: 'acid.zalan.do/v1', kind: 'postgresql', name, uid };
}
