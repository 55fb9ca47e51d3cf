import type { EndpointName } from '../../core/manifest/spec.ts';
import { ENDPOINT_NAMES, type EndpointWord } from '../endpoints.ts';
import { UsageError } from '../usage.ts';

/** The words on the command line, each parsed. */
export interface StressOptions {
  fill?: number | undefined;
  seed?: number | undefined;
  clients: number;
  duration: number;
  interval: number;
  writeRatio: number;
  endpoint?: EndpointWord | undefined;
  compare?: boolean | undefined;
  connectEachTime?: boolean | undefined;
  script?: string | undefined;
  report?: string | undefined;
  user?: string | undefined;
  database?: string | undefined;
}

export const DEFAULT_SEED = 1;

/** A week; whoever wants more wants monitoring. */
const LONGEST_MS = 7 * 24 * 3_600_000;

/** Throws for words that contradict each other. */
export function checkOptions(options: StressOptions): void {
  const { duration, fill, seed, writeRatio, endpoint } = options;
  if (duration === 0 && fill === undefined) {
    throw new UsageError('a load that lasts 0 s measures nothing', 'only with --fill: then no load is run');
  }
  if (duration > LONGEST_MS) throw new UsageError('a load lasts at most 7 days', 'write for example 10m');
  if (seed !== undefined && fill === undefined) {
    throw new UsageError('--seed is for --fill', 'add --fill ROWS, or leave --seed out');
  }
  if (writeRatio > 0 && (endpoint === 'standby' || endpoint === 'pooler-standby')) {
    throw new UsageError(
      `--write-ratio needs a primary, and --endpoint ${endpoint} leads to standbys`,
      'take --endpoint primary or pooler, or leave --write-ratio out',
    );
  }
  if (duration === 0 && (options.report !== undefined || options.compare === true)) {
    throw new UsageError('--duration 0 runs no load, so there is nothing to report', 'leave one of them out');
  }
}

/** The endpoints to put the load on; the pooler unless another is named, or there is none. */
export function endpointsOf(options: StressOptions, there: (name: EndpointName) => boolean): EndpointName[] {
  if (options.compare === true) return ['primary', 'pooler'];
  if (options.endpoint !== undefined) return [ENDPOINT_NAMES[options.endpoint]];
  return [there('pooler') ? 'pooler' : 'primary'];
}
