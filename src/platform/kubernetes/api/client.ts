import { withDeadline } from '../../../lib/time.ts';
import { bodyOf, type Connection, type RawRequest } from './connection.ts';
import { ApiNotFoundError, type ApiRequest, ApiUnreachableError, errorOf } from './errors.ts';
import { infoOf, isKind, type Kind, type LiveObject, pathOf, type SentObject } from './kinds.ts';
import { parsedJson } from './parsedJson.ts';

/** Whose fields are ours in server-side apply. */
export const FIELD_MANAGER = 'pgherd';
const REQUEST_MS = 15_000;
/** Objects of one answer of a list. */
const PAGE = 500;

export interface Selection {
  /** undefined: all namespaces. */
  namespace: string | undefined;
  labelSelector?: string | undefined;
}

export interface ObjectName {
  kind: Kind;
  namespace: string | undefined;
  name: string;
}

/** Typed access to the API server. Every call has a deadline of its own, 15 s. */
export class KubeClient {
  readonly connection: Connection;
  /** To be called before anything is changed past this class. */
  readonly beforeWrite: () => void;

  /** @param beforeWrite called right before every request that changes something: throws when we may not (any more). */
  constructor(connection: Connection, beforeWrite: () => void = () => {}) {
    this.connection = connection;
    this.beforeWrite = beforeWrite;
  }

  /** undefined: there is no such object. */
  async get({ kind, namespace, name }: ObjectName, signal: AbortSignal): Promise<LiveObject | undefined> {
    try {
      return await this.#call('get', kind, namespace, name, { method: 'GET' }, signal);
    } catch (error) {
      if (error instanceof ApiNotFoundError) return undefined;
      throw error;
    }
  }

  /** All objects of a selection, page by page, and the resource version to watch from. */
  async list(
    kind: Kind,
    selection: Selection,
    signal: AbortSignal,
  ): Promise<{ items: LiveObject[]; resourceVersion: string }> {
    const items: LiveObject[] = [];
    let next: string | undefined;
    for (;;) {
      const query = queryOf({ ...selectionQuery(selection), limit: String(PAGE), continue: next });
      const answer = (await this.#request(
        { verb: 'list', resource: infoOf(kind).plural, namespace: selection.namespace, name: undefined },
        { method: 'GET', path: `${pathOf(kind, selection.namespace)}${query}` },
        signal,
      )) as { items?: LiveObject[]; metadata?: { resourceVersion?: string; continue?: string } };
      // Items of a list come without kind and version.
      for (const item of answer.items ?? []) {
        items.push(lighten({ ...item, apiVersion: infoOf(kind).apiVersion, kind }));
      }
      next = answer.metadata?.continue;
      if (next === undefined || next === '') {
        return { items, resourceVersion: answer.metadata?.resourceVersion ?? '' };
      }
    }
  }

  async create(object: SentObject, signal: AbortSignal): Promise<LiveObject> {
    const { kind, namespace } = nameOf(object);
    const path = `${pathOf(kind, namespace)}${queryOf({ fieldManager: FIELD_MANAGER })}`;
    return this.#call('create', kind, namespace, undefined, { method: 'POST', path, body: object }, signal);
  }

  /** Asks whether an object would be accepted; makes nothing. Rejects with ApiInvalidError where not. */
  async dryRunCreate(object: SentObject, signal: AbortSignal): Promise<void> {
    const { kind, namespace } = nameOf(object);
    const path = `${pathOf(kind, namespace)}${queryOf({ fieldManager: FIELD_MANAGER, dryRun: 'All' })}`;
    await this.#call('create', kind, namespace, undefined, { method: 'POST', path, body: object }, signal);
  }

  /** Replaces the whole object; with a resourceVersion in it only while it is that version. */
  async replace(object: SentObject, signal: AbortSignal): Promise<LiveObject> {
    const { kind, namespace, name } = nameOf(object);
    const path = `${pathOf(kind, namespace, name)}${queryOf({ fieldManager: FIELD_MANAGER })}`;
    return this.#call('update', kind, namespace, name, { method: 'PUT', path, body: object }, signal);
  }

  /** Server-side apply: makes the object, or takes over the fields we name; other fields stay as they are. */
  async apply(object: SentObject, signal: AbortSignal): Promise<LiveObject> {
    const { kind, namespace, name } = nameOf(object);
    const query = queryOf({ fieldManager: FIELD_MANAGER, force: 'true' });
    const path = `${pathOf(kind, namespace, name)}${query}`;
    const request = {
      method: 'PATCH',
      path,
      contentType: 'application/apply-patch+yaml',
      body: object,
    } as const;
    return this.#call('patch', kind, namespace, name, request, signal);
  }

  /** Merge patch: null deletes a key. A resourceVersion in its metadata makes it conditional. */
  async merge(
    { kind, namespace, name }: ObjectName,
    patch: object,
    signal: AbortSignal,
    subresource?: 'status',
  ): Promise<LiveObject> {
    const end = subresource === undefined ? '' : `/${subresource}`;
    const path = `${pathOf(kind, namespace, name)}${end}${queryOf({ fieldManager: FIELD_MANAGER })}`;
    const request = {
      method: 'PATCH',
      path,
      contentType: 'application/merge-patch+json',
      body: patch,
    } as const;
    return this.#call('patch', kind, namespace, name, request, signal);
  }

  /** Deletes an object; resolves also when it is gone already. With `uid` only that very object. */
  async remove(
    { kind, namespace, name }: ObjectName,
    options: { uid?: string | undefined; propagation?: 'Background' | 'Orphan' },
    signal: AbortSignal,
  ): Promise<void> {
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy: options.propagation ?? 'Background',
      ...(options.uid !== undefined && { preconditions: { uid: options.uid } }),
    };
    try {
      await this.#call('delete', kind, namespace, name, { method: 'DELETE', body }, signal);
    } catch (error) {
      if (!(error instanceof ApiNotFoundError)) throw error;
    }
  }

  async #call(
    verb: string,
    kind: Kind,
    namespace: string | undefined,
    name: string | undefined,
    raw: { method: RawRequest['method']; path?: string; contentType?: string; body?: object },
    signal: AbortSignal,
  ): Promise<LiveObject> {
    const request = { verb, resource: infoOf(kind).plural, namespace, name };
    const { method, contentType, body } = raw;
    const path = raw.path ?? pathOf(kind, namespace, name);
    const answer = await this.#request(
      request,
      {
        method,
        path,
        ...(contentType !== undefined && { contentType }),
        ...(body !== undefined && { body: JSON.stringify(body) }),
      },
      signal,
    );
    return lighten(answer as LiveObject);
  }

  async #request(request: ApiRequest, raw: RawRequest, outer: AbortSignal): Promise<unknown> {
    if (raw.method !== 'GET') this.beforeWrite();
    using signal = withDeadline(outer, `${request.verb} ${request.resource}`, REQUEST_MS);
    const response = await this.connection.send(raw, signal);
    const body = await bodyOf(response);
    const status = response.statusCode ?? 0;
    if (status < 200 || status > 299) throw errorOf(request, status, body);
    return answerOf(body, this.connection.server);
  }
}

/** Objects and lists, with their metadata. Rejects what something else than an API server answers, a proxy's page say. */
export function answerOf(body: string, server: string): object {
  const answer = parsedJson(body);
  if (typeof answer === 'object' && answer !== null) return answer;
  throw new ApiUnreachableError({
    code: 'kubernetes-not-understood',
    message: `what answers at ${server} is no Kubernetes API server`,
    detail: body.slice(0, 500),
    hint: 'check `server` of the kubeconfig, and what lies between',
  });
}

export function selectionQuery({ labelSelector }: Selection): Record<string, string | undefined> {
  return { labelSelector };
}

export function queryOf(values: Record<string, string | undefined>): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(values)) if (value !== undefined) query.set(key, value);
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** Without what is of no use here and more than half of many objects: managedFields, and kubectl's copy of it all. */
export function lighten(object: LiveObject): LiveObject {
  const metadata = object.metadata as unknown as Record<string, unknown> | undefined;
  if (metadata !== undefined) delete metadata.managedFields;
  if (object.metadata?.annotations !== undefined) delete object.metadata.annotations[LAST_APPLIED];
  return object;
}

function nameOf(object: SentObject): ObjectName {
  if (!isKind(object.kind)) throw new TypeError(`no such kind: ${object.kind}`);
  return { kind: object.kind, namespace: object.metadata.namespace, name: object.metadata.name };
}
