import type { Findings } from '../findings.ts';
import type { Path } from '../path.ts';
import type { ManifestSource } from '../schema.ts';
import type { SpecSource } from '../schemaSpec.ts';
import type { PatroniSpec, SynchronousMode } from '../spec.ts';
import { checkInitdb } from './initdb.ts';
import { checkHbaLines } from './pgHba.ts';
import { checkSlots } from './slots.ts';

const path: Path = ['spec', 'patroni'];

/** What Patroni 4 accepts; below it, Patroni would quietly use other values than the manifest's. */
const floors = { ttl: 20, loop_wait: 1, retry_timeout: 3 } as const;

const defaultMaximumLag = 33_554_432;

export function readPatroni(source: ManifestSource, findings: Findings): PatroniSpec {
  const { spec } = source;
  const patroni = spec.patroni;
  const initdb = patroni?.initdb ?? {};
  const pgHba = patroni?.pg_hba ?? [];
  const slots = patroni?.slots ?? {};
  checkTiming(spec, findings);
  checkInitdb(initdb, [...path, 'initdb'], findings);
  checkHbaLines(pgHba, [...path, 'pg_hba'], findings);
  checkSlots(slots, source.metadata.name, [...path, 'slots'], findings);
  const synchronousNodeCount = patroni?.synchronous_node_count ?? 1;
  const synchronousMode = readMode(spec, findings);
  checkNodeCount(spec, synchronousMode, synchronousNodeCount, findings);
  return {
    // 0 is the format's way to say "default".
    ttl: patroni?.ttl || neededTtl(spec),
    loopWait: patroni?.loop_wait || undefined,
    retryTimeout: patroni?.retry_timeout || undefined,
    maximumLagOnFailover: patroni?.maximum_lag_on_failover || defaultMaximumLag,
    synchronousMode,
    synchronousNodeCount,
    failsafeMode: patroni?.failsafe_mode ?? undefined,
    initdb,
    pgHba: pgHba.length === 0 ? undefined : pgHba,
    slots,
  };
}

/**
 * Checks the written times against Patroni's floors and against each other. Where one is left to the platform,
 * its floor is assumed: the platform must choose values that fit, and an error here is one that no choice mends.
 */
function checkTiming(spec: SpecSource, findings: Findings): void {
  const patroni = spec.patroni;
  let fine = true;
  for (const name of ['ttl', 'loop_wait', 'retry_timeout'] as const) {
    const value = patroni?.[name] ?? 0;
    if (value === 0 || value >= floors[name]) continue;
    fine = false;
    findings.error([...path, name], {
      code: 'out-of-range',
      message: `patroni.${name} is ${value}; Patroni takes ${floors[name]} or more`,
      hint: `write ${floors[name]} or more, or delete the line for the default`,
    });
  }
  const ttl = patroni?.ttl || undefined;
  if (!fine || ttl === undefined) return;
  const needed = leastTtl(spec);
  if (needed <= ttl) return;
  findings.error([...path, 'ttl'], {
    code: 'out-of-range',
    message: `patroni.ttl is ${ttl}, below loop_wait + 2 * retry_timeout = ${needed}`,
    hint: `write ttl: ${needed} or more, or lower retry_timeout: a primary must be able to retry before its lease ends`,
  });
}

/** How long a lease must last for the written times. */
function leastTtl(spec: SpecSource): number {
  const loopWait = spec.patroni?.loop_wait || floors.loop_wait;
  const retryTimeout = spec.patroni?.retry_timeout || floors.retry_timeout;
  return loopWait + 2 * retryTimeout;
}

/** A platform's own ttl is chosen for its own other times: longer ones that are written need a longer ttl. */
function neededTtl(spec: SpecSource): number | undefined {
  const needed = leastTtl(spec);
  return needed > floors.ttl ? needed : undefined;
}

function readMode(spec: SpecSource, findings: Findings): SynchronousMode {
  const strict = spec.patroni?.synchronous_mode_strict ?? false;
  const written = spec.patroni?.synchronous_mode ?? undefined;
  if (strict && written === false) {
    findings.error([...path, 'synchronous_mode_strict'], {
      code: 'contradiction',
      message: 'synchronous_mode_strict has no meaning while synchronous_mode is false',
      hint: 'set synchronous_mode to true, or delete synchronous_mode_strict',
    });
  }
  if (strict) return 'strict';
  if (written !== undefined) return written ? 'sync' : 'async';
  return spec.numberOfInstances === 1 ? 'async' : 'sync';
}

function checkNodeCount(spec: SpecSource, mode: SynchronousMode, count: number, findings: Findings): void {
  const instances = spec.numberOfInstances;
  const countPath = [...path, 'synchronous_node_count'];
  if (count < 1) {
    findings.error(countPath, {
      code: 'out-of-range',
      message: 'patroni.synchronous_node_count is 0',
      hint: 'write 1 or more; to switch synchronous replication off, set synchronous_mode to false',
    });
    return;
  }
  if (findings.hasErrorWithin(['spec', 'numberOfInstances'])) return;
  if (instances === 0 || mode === 'async' || instances >= count + 1) return;
  if (mode === 'strict') {
    findings.error([...path, 'synchronous_mode_strict'], {
      code: 'too-few-instances',
      message: `strict synchronous mode with ${count} synchronous standby${count === 1 ? '' : 's'} cannot write with ${instances} instance${instances === 1 ? '' : 's'}`,
      hint: `set numberOfInstances to ${count + 1} or more, or delete synchronous_mode_strict`,
    });
    return;
  }
  const written = spec.patroni?.synchronous_node_count != null && count > 1;
  findings.warn(written ? countPath : [...path, 'synchronous_mode'], {
    code: 'too-few-instances',
    message: `${count} synchronous standby${count === 1 ? '' : 's'} cannot be had with ${instances} instance${instances === 1 ? '' : 's'}`,
    hint: `commits wait for ${instances - 1} standbys only; set numberOfInstances to ${count + 1} or more`,
  });
}
