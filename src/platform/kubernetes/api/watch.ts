import { createInterface } from 'node:readline';
import { messageOf } from '../../../lib/errors.ts';
import { type KubeClient, lighten, queryOf, type Selection, selectionQuery } from './client.ts';
import { bodyOf } from './connection.ts';
import { ApiGoneError, ApiUnreachableError, errorOf } from './errors.ts';
import { infoOf, type Kind, type LiveObject, pathOf } from './kinds.ts';

export type WatchEvent =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: LiveObject }
  /** Only the resource version moved on. */
  | { type: 'BOOKMARK'; resourceVersion: string };

/** The server ends a watch after this time, so that one that died silently is noticed. */
const WATCH_SECONDS = 290;
/** Bookmarks come about once a minute: a watch this long without a byte is dead. */
const SILENCE_MS = 320_000;

/**
 * Events from `resourceVersion` on (first a bookmark, as soon as the server has taken the watch), until the server ends the watch (the iteration ends) or the signal aborts.
 * Throws ApiGoneError when the version is too old: list anew then; ApiUnreachableError when the watch breaks.
 */
export async function* watch(
  client: KubeClient,
  kind: Kind,
  selection: Selection,
  resourceVersion: string,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent> {
  const request = {
    verb: 'watch',
    resource: infoOf(kind).plural,
    namespace: selection.namespace,
    name: undefined,
  };
  const query = queryOf({
    ...selectionQuery(selection),
    watch: 'true',
    allowWatchBookmarks: 'true',
    resourceVersion,
    timeoutSeconds: String(WATCH_SECONDS),
  });
  const response = await client.connection.send(
    { method: 'GET', path: `${pathOf(kind, selection.namespace)}${query}`, lasting: true },
    signal,
  );
  const status = response.statusCode ?? 0;
  if (status !== 200) throw errorOf(request, status, await bodyOf(response));
  yield { type: 'BOOKMARK', resourceVersion };
  response.setTimeout(SILENCE_MS, () => response.destroy());
  try {
    for await (const line of createInterface({ input: response, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (line === '') continue;
      const event = JSON.parse(line) as { type: string; object: LiveObject };
      if (event.type === 'ERROR') {
        const code = Number((event.object as unknown as { code?: number }).code ?? 500);
        throw errorOf(request, code, JSON.stringify(event.object));
      }
      if (event.type === 'BOOKMARK') {
        yield { type: 'BOOKMARK', resourceVersion: event.object.metadata.resourceVersion };
      } else if (event.type === 'ADDED' || event.type === 'MODIFIED' || event.type === 'DELETED') {
        yield { type: event.type, object: lighten(event.object) };
      }
    }
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof ApiGoneError) throw cause;
    if (cause instanceof Error && 'status' in cause) throw cause;
    throw new ApiUnreachableError({
      code: 'kubernetes-watch-broken',
      message: `the watch on ${request.resource} broke off`,
      detail: messageOf(cause),
      cause,
    });
  } finally {
    response.destroy();
  }
}
