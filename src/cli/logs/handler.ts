import { RefusedError } from '../../lib/errors.ts';
import type { PlatformCluster } from '../../platform/contract.ts';
import type { Session } from '../session.ts';
import { openCluster } from '../target.ts';
import { parseSince } from '../text/units.ts';
import { logLineText, logLineToDocument } from './render.ts';

export interface LogsOptions {
  follow: boolean;
  since?: string | undefined;
  component: readonly string[];
  tail?: number | undefined;
}

/** Where to begin when a person just wants to watch. */
const FOLLOWED_LINES = 20;

/** Prints log lines until the end, or until the user stops it. */
export async function logs(session: Session, name: string, options: LogsOptions): Promise<void> {
  const { signal, output, json, look } = session;
  const since = options.since === undefined ? undefined : parseSince(options.since, session.now());
  const cluster = await openCluster(session, name);
  const components = options.component.length === 0 ? [] : await named(cluster, options.component, signal);
  const tail = options.tail ?? (options.follow && since === undefined ? FOLLOWED_LINES : undefined);
  let width = Math.max(WIDTH, name.length + 2);
  for await (const line of cluster.logs({ follow: options.follow, since, components, tail }, signal)) {
    width = Math.max(width, line.component.length);
    await output.stream(
      json ? JSON.stringify(logLineToDocument(line)) : logLineText(line, width, look),
      signal,
    );
    signal.throwIfAborted();
  }
  signal.throwIfAborted();
}

/** Enough for most components, so that lines do not shift when a longer name turns up. */
const WIDTH = 16;

/** Components by name or kind. A word that means none is refused: silence would look like an answer. */
async function named(
  cluster: PlatformCluster,
  words: readonly string[],
  signal: AbortSignal,
): Promise<string[]> {
  const { components } = await cluster.observe({ catalog: false }, signal);
  const chosen = words.flatMap(word => {
    const kind = word === 'pooler-standby' ? 'poolerStandby' : word;
    const found = components.filter(component => component.name === word || component.kind === kind);
    if (found.length > 0) return found.map(component => component.name);
    throw new RefusedError({
      code: 'no-such-component',
      message: `${cluster.ref.name} has no component ${word}`,
      hint: `there is: ${components.map(component => component.name).join(', ')}`,
    });
  });
  return [...new Set(chosen)];
}
