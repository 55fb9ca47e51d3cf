/** What the Lease object says. */
export interface LeaseRecord {
  holder: string;
  /** As written by the holder; only compared, never read as a time: clocks of machines differ. */
  renewTime: string;
  durationMs: number;
}

export interface LeaseTiming {
  /** How long others stay back after the last renewal they saw. */
  durationMs: number;
  /** How long the holder acts after it *began* its last renewal: less than the duration. */
  actMs: number;
  /** How often it is renewed, or looked at. */
  everyMs: number;
}

export const LEASE_TIMING: LeaseTiming = { durationMs: 15_000, actMs: 10_000, everyMs: 2000 };

/** On the operator's Lease: whether its holder watches the primaries of synchronous clusters closely. */
export const SENTINEL_ANNOTATION = 'pgherd.dev/sentinel';

/** The record as last seen to change, and when on our own monotonic clock. */
export interface LeaseSighting {
  record: LeaseRecord | undefined;
  at: number;
}

/** Notes a look at the lease: the time counts from the first look that showed this very record. */
export function sight(
  previous: LeaseSighting | undefined,
  record: LeaseRecord | undefined,
  now: number,
): LeaseSighting {
  const same =
    previous !== undefined &&
    previous.record?.holder === record?.holder &&
    previous.record?.renewTime === record?.renewTime;
  return same ? previous : { record, at: now };
}

/** Whether `me` may write itself in: nobody holds it, we do, or its holder has been silent for the whole duration. */
export function mayTake({ record, at }: LeaseSighting, me: string, now: number): boolean {
  if (record === undefined || record.holder === '' || record.holder === me) return true;
  return now - at > record.durationMs;
}

/** Until when the holder acts, from the moment it began the renewal that succeeded. */
export function actsUntil(renewalBegan: number, { actMs }: LeaseTiming): number {
  return renewalBegan + actMs;
}
