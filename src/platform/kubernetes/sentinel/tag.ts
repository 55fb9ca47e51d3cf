import { z } from 'zod';
import { ApiConflictError } from '../api/errors.ts';
import type { LiveObject } from '../api/kinds.ts';
import { parsedJson } from '../api/parsedJson.ts';
import type { DcsContext } from '../patroni/write.ts';

const record = z.looseObject({ tags: z.looseObject({}).default({}) });

/**
 * Marks what a member has written of itself with nofailover, while it is what we have seen: Patroni's election does not
 * wait for its answer then. A member that lives writes its own again within a round.
 */
export async function tagNoFailover(
  pod: LiveObject | undefined,
  { client, namespace, signal }: DcsContext,
): Promise<void> {
  const status = pod?.metadata.annotations?.status;
  if (pod === undefined || status === undefined) return;
  const { name, resourceVersion } = pod.metadata;
  const marked = tagged(status);
  // Patroni does not understand it either, and asks the member.
  if (marked === undefined) return;
  const metadata = { resourceVersion, annotations: { status: marked } };
  try {
    await client.merge({ kind: 'Pod', namespace, name }, { metadata }, signal);
  } catch (error) {
    // It was written anew meanwhile, perhaps by itself: the election asks it then.
    if (!(error instanceof ApiConflictError)) throw error;
  }
}

/** undefined: it cannot be understood. */
export function tagged(status: string): string | undefined {
  const { data } = record.safeParse(parsedJson(status));
  return data && JSON.stringify({ ...data, tags: { ...data.tags, nofailover: true } });
}
