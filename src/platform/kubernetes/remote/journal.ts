import { journalEntry } from '../../../core/topology/journalEntry.ts';
import type { ClusterRef, Journal, JournalEntry } from '../../contract.ts';
import type { KubeClient } from '../api/client.ts';
import type { LiveObject } from '../api/kinds.ts';
import { parsedJson } from '../api/parsedJson.ts';
import { eventOf } from '../events/recorder.ts';

const REQUEST_MS = 15_000;
const MESSAGE_CHARS = 1_000;
/** What an Event has no field for. */
const ENTRY = 'pgherd.dev/journal';

/** Events of the manifest are the journal here: `kubectl describe` shows it too. The API server keeps them for an hour. */
export class EventJournal implements Journal {
  readonly #client: KubeClient;
  readonly #cluster: LiveObject;
  readonly #ref: ClusterRef;

  constructor(client: KubeClient, cluster: LiveObject, ref: ClusterRef) {
    this.#client = client;
    this.#cluster = { ...cluster, apiVersion: 'acid.zalan.do/v1', kind: 'postgresql' };
    this.#ref = ref;
  }

  async append(item: Omit<JournalEntry, 'at'>): Promise<void> {
    const message = [item.message, item.reason].filter(Boolean).join(': ').slice(0, MESSAGE_CHARS);
    const type = /failed|damaged/.test(item.event) ? 'Warning' : 'Normal';
    const object = eventOf(this.#cluster, { type, reason: camelCase(item.event), message });
    const whole = JSON.stringify({ at: new Date().toISOString(), ...item });
    const metadata = { ...object.metadata, annotations: { [ENTRY]: whole } };
    await this.#client.create({ ...object, metadata }, AbortSignal.timeout(REQUEST_MS));
  }

  async read({ since }: { since: Date | undefined }): Promise<JournalEntry[]> {
    const { namespace, name } = this.#ref;
    const { items } = await this.#client.list('Event', { namespace }, AbortSignal.timeout(REQUEST_MS));
    const from = since?.toISOString() ?? '';
    return items
      .flatMap(item => entryOf(item, name) ?? [])
      .filter(({ at }) => at >= from)
      .sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  }
}

/** An Event in the journal's words, whoever wrote it; undefined: it is of something else. */
export function entryOf(item: LiveObject, cluster: string): JournalEntry | undefined {
  const of = (item.involvedObject ?? {}) as { kind?: string; name?: string };
  if (of.kind !== 'postgresql' || of.name !== cluster) return undefined;
  const own = ownEntry(item.metadata.annotations?.[ENTRY]);
  if (own !== undefined) return own;
  const time = String(item.lastTimestamp ?? item.metadata.creationTimestamp ?? '');
  return {
    at: Number.isNaN(Date.parse(time)) ? time : new Date(time).toISOString(),
    actor: 'operator',
    event: String(item.reason ?? ''),
    subject: cluster,
    message: String(item.message ?? ''),
    reason: undefined,
  };
}

/** undefined: no entry of ours. Whoever may write Events may write anything there: the Event itself is shown then. */
function ownEntry(text: string | undefined): JournalEntry | undefined {
  const { data } = journalEntry.safeParse(parsedJson(text));
  if (data === undefined || Number.isNaN(Date.parse(data.at))) return undefined;
  return { ...data, at: new Date(data.at).toISOString(), reason: data.reason };
}

function camelCase(event: string): string {
  return event.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
}
