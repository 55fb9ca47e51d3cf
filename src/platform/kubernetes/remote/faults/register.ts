import { readFile, readlink } from 'node:fs/promises';
import { z } from 'zod';
import { PgherdError, RefusedError } from '../../../../lib/errors.ts';
import { isAlive, startTimeOf } from '../../../../lib/process.ts';
import type { KubeClient } from '../../api/client.ts';
import { ApiConflictError } from '../../api/errors.ts';
import type { LiveObject } from '../../api/kinds.ts';
import { parsedJson } from '../../api/parsedJson.ts';
import { CLUSTER_LABEL, FAULTS_RENEWED } from '../../objects/labels.ts';
import { faultsName } from '../../objects/names.ts';
import { type RegisterEntry, registerEntry } from './schema.ts';

const REQUEST_MS = 15_000;
const TRIES = 5;
/** Nobody can tell from here whether a process of another machine runs: so long it is believed to. */
const ELSEWHERE_MS = 15 * 60_000;

/**
 * What is broken on purpose: a ConfigMap beside the cluster with one key for each fault, written before anything is
 * broken. It outlives whoever injects, and goes with the manifest.
 */
export class Register {
  readonly #client: KubeClient;
  readonly #cluster: LiveObject;

  constructor(client: KubeClient, cluster: LiveObject) {
    this.#client = client;
    this.#cluster = cluster;
  }

  /** Of this moment. */
  async read(): Promise<RegisterContents> {
    return contentsOf(await this.#get());
  }

  /** Oldest first. Rejects with a PgherdError when there is one that cannot be understood. */
  async entries(): Promise<RegisterEntry[]> {
    return understood(await this.read());
  }

  /** Says that whoever has entries here lives. */
  async renew(): Promise<void> {
    const metadata = { annotations: { [FAULTS_RENEWED]: new Date().toISOString() } };
    await this.#client.merge(this.#name, { metadata }, AbortSignal.timeout(REQUEST_MS));
  }

  /** Adds an entry if `admit` lets it in beside the others; those that it resolves with are removed. */
  async add(
    entry: RegisterEntry,
    admit: (others: RegisterEntry[]) => Promise<RegisterEntry[]>,
  ): Promise<void> {
    await this.#change(async live => {
      const over = await admit(understood(contentsOf(live)));
      const removed = Object.fromEntries(over.map(({ id }): [string, null] => [id, null]));
      return { ...removed, [entry.id]: JSON.stringify(registerEntry.parse(entry)) };
    });
  }

  async has(id: string): Promise<boolean> {
    return (await this.entries()).some(entry => entry.id === id);
  }

  async remove(id: string): Promise<void> {
    await this.#change(async live => (live === undefined ? undefined : { [id]: null }));
  }

  async #change(
    decide: (live: LiveObject | undefined) => Promise<Record<string, string | null> | undefined>,
  ): Promise<void> {
    for (let tried = 1; ; tried += 1) {
      const live = await this.#get();
      const data = await decide(live);
      if (data === undefined) return;
      const signal = AbortSignal.timeout(REQUEST_MS);
      try {
        if (live === undefined) await this.#client.create(this.#object(data), signal);
        else {
          const { resourceVersion } = live.metadata;
          await this.#client.merge(this.#name, { metadata: { resourceVersion }, data }, signal);
        }
        return;
      } catch (error) {
        if (!(error instanceof ApiConflictError) || tried === TRIES) throw error;
      }
    }
  }

  #get(): Promise<LiveObject | undefined> {
    return this.#client.get(this.#name, AbortSignal.timeout(REQUEST_MS));
  }

  get #name() {
    const { name, namespace } = this.#cluster.metadata;
    return { kind: 'ConfigMap', namespace, name: faultsName(name) } as const;
  }

  #object(data: Record<string, string | null>) {
    const { name, namespace, uid } = this.#cluster.metadata;
    const owner = { apiVersion: 'acid.zalan.do/v1', kind: 'postgresql', name, uid };
    return {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: this.#name.name,
        namespace,
        // Not all the labels of the cluster's objects: it is none of Patroni's.
        labels: { [CLUSTER_LABEL]: name },
        ownerReferences: [owner],
      },
      data: Object.fromEntries(Object.entries(data).filter(([, value]) => value !== null)),
    };
  }
}

export interface RegisterContents {
  /** Oldest first. */
  entries: RegisterEntry[];
  /** One error for each that cannot be understood; it names the key. */
  damaged: PgherdError[];
  /** Of the ConfigMap; undefined: there is none. */
  version: string | undefined;
}

export function contentsOf(live: LiveObject | undefined): RegisterContents {
  const contents: RegisterContents = { entries: [], damaged: [], version: live?.metadata.resourceVersion };
  for (const [id, text] of Object.entries((live?.data ?? {}) as Record<string, string>)) {
    const { data, error } = registerEntry.safeParse(parsedJson(text));
    if (data !== undefined) contents.entries.push(data);
    else
      contents.damaged.push(
        new PgherdError({
          code: 'state-unreadable',
          message: `the registered fault ${id} cannot be understood`,
          detail: z.prettifyError(error),
          hint: `damaged, or written by another version of pgherd: undo by hand what it says under "undo", then delete the key from the ConfigMap ${live?.metadata.name}`,
          cause: error,
        }),
      );
  }
  contents.entries.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  return contents;
}

function understood({ entries, damaged }: RegisterContents): RegisterEntry[] {
  const [first] = damaged;
  if (first !== undefined) throw first;
  return entries;
}

export async function ourselves(): Promise<RegisterEntry['owner']> {
  return { boot: await place(), pid: process.pid, startTime: (await startTimeOf(process.pid)) ?? '' };
}

/** The process that injected it still runs, as far as that can be known here. */
export async function isOwned({ owner, at }: RegisterEntry): Promise<boolean> {
  if (owner.boot === (await place())) return isAlive(owner);
  return Date.now() - Date.parse(at) < ELSEWHERE_MS;
}

/** Something stays broken until the undo. */
export function isInForce({ undo }: RegisterEntry): boolean {
  return undo.length > 0;
}

/** Who may come beside what stands: one drill at a time. Resolves with entries that are over. */
export async function admit(
  owner: RegisterEntry['owner'],
  others: RegisterEntry[],
): Promise<RegisterEntry[]> {
  const over: RegisterEntry[] = [];
  for (const other of others) {
    const { boot, pid, startTime } = other.owner;
    if (boot === owner.boot && pid === owner.pid && startTime === owner.startTime) continue;
    const { description, at } = other;
    if (await isOwned(other)) {
      throw new RefusedError({
        code: 'drill-running',
        message: `another drill is under way: ${description} (since ${at})`,
        hint: 'wait until it is over: one drill at a time',
      });
    }
    if (isInForce(other)) {
      throw new RefusedError({
        code: 'drill-left-behind',
        message: `a drill that died left a fault behind: ${description} (since ${at})`,
        hint: 'take it back: pgherd drill clean NAME',
      });
    }
    over.push(other);
  }
  return over;
}

/** Where numbers of processes mean what they mean here: containers of one machine share its boot, not its processes. */
async function place(): Promise<string> {
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
  return `${boot.trim()} ${await readlink('/proc/self/ns/pid')}`;
}
