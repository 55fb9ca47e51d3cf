/** What a restore aims at, as people write it. */
import { RefusedError } from '../../lib/errors.ts';
import { isLsn } from './wal.ts';

/** Where a restore stops. undefined in its place: at the end of the archive. */
export type RecoveryTarget =
  /** Everything that was committed up to this moment. ISO 8601 in UTC with up to six decimals. */
  | { kind: 'time'; at: string }
  | { kind: 'lsn'; lsn: string }
  | { kind: 'xid'; xid: string }
  /** A restore point: pg_create_restore_point(name). */
  | { kind: 'name'; name: string }
  /** As early as the backup allows. */
  | { kind: 'immediate' };

export interface TargetSurroundings {
  now: Date;
  /** Name of the IANA data base for times without an offset; undefined: the machine's own. */
  timeZone: string | undefined;
}

const FORMS =
  'a time ("2026-11-22 14:03:00", "14:03", "10 minutes ago", "2026-11-22T14:03:00Z"), a position (0/5018088), xid:750, name:before-release, immediate, or latest';
const UNITS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/**
 * Reads a target. undefined: `latest`. Rejects what it does not understand, and times to come: RefusedError.
 */
export function parseTarget(text: string, surroundings: TargetSurroundings): RecoveryTarget | undefined {
  const given = text.trim();
  if (given === 'latest') return undefined;
  if (given === 'immediate') return { kind: 'immediate' };
  if (isLsn(given)) return { kind: 'lsn', lsn: given.toUpperCase() };
  const [, xid] = /^xid:(\d{1,20})$/.exec(given) ?? [];
  if (xid !== undefined) return { kind: 'xid', xid };
  const [, name] = /^name:(.{1,63})$/.exec(given) ?? [];
  if (name !== undefined) return { kind: 'name', name };
  const at = parseTime(given, surroundings);
  if (at === undefined) {
    throw new RefusedError({
      code: 'bad-target',
      message: `"${text}" is no target of a restore`,
      hint: `give ${FORMS}`,
    });
  }
  if (Date.parse(at) > surroundings.now.getTime()) {
    throw new RefusedError({
      code: 'target-in-future',
      message: `${at} is still to come`,
      detail: `now it is ${surroundings.now.toISOString()}`,
      hint: 'a time without an offset is taken as local; append Z for UTC',
    });
  }
  return { kind: 'time', at };
}

/** As it is said to people and noted in records. */
export function targetText(target: RecoveryTarget | undefined): string {
  switch (target?.kind) {
    case undefined:
      return 'the end of the archive';
    case 'time':
      return target.at;
    case 'lsn':
      return `position ${target.lsn}`;
    case 'xid':
      return `transaction ${target.xid}`;
    case 'name':
      return `restore point "${target.name}"`;
    case 'immediate':
      return 'the end of the backup';
  }
}

function parseTime(text: string, { now, timeZone }: TargetSurroundings): string | undefined {
  const [, count, unit] =
    /^(\d{1,9}) ?(s|m|h|d|w)(?:ec(?:ond)?s?|in(?:ute)?s?|ours?|ays?|eeks?)? ago$/.exec(text) ?? [];
  if (count !== undefined && unit !== undefined) {
    return new Date(now.getTime() - Number(count) * (UNITS[unit] ?? 0) * 1000).toISOString();
  }
  const match =
    /^(?:(\d{4})-(\d\d)-(\d\d)[T ])?(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,6}))?)?( ?(?:Z|UTC|[+-]\d\d(?::?\d\d)?))?$/i.exec(
      text,
    );
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second = '00', fraction = '', zone] = match;
  const offset = zone === undefined ? undefined : offsetSeconds(zone.trim().toUpperCase());
  const date =
    year === undefined
      ? new Date(now.getTime() + (offset ?? zoneOffset(now, timeZone)) * 1000).toISOString().slice(0, 10)
      : `${year}-${month}-${day}`;
  // As if it were UTC; Date rolls the 31st of June over to July: such a day is none.
  const wall = new Date(`${date}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(wall.getTime()) || !wall.toISOString().startsWith(`${date}T${hour}:${minute}:${second}`)) {
    return undefined;
  }
  const at = offset === undefined ? fromWall(wall, timeZone) : new Date(wall.getTime() - offset * 1000);
  return `${at.toISOString().slice(0, 19)}${fraction === '' ? '' : `.${fraction}`}Z`;
}

/** The moment at which clocks of the zone show this. Of an hour that comes twice the first; of a gap its end. */
function fromWall(wall: Date, timeZone: string | undefined): Date {
  const day = 86_400_000;
  const before = zoneOffset(new Date(wall.getTime() - day), timeZone);
  const after = zoneOffset(new Date(wall.getTime() + day), timeZone);
  const early = new Date(wall.getTime() - Math.max(before, after) * 1000);
  if (zoneOffset(early, timeZone) === Math.max(before, after)) return early;
  return new Date(wall.getTime() - Math.min(before, after) * 1000);
}

/** Seconds east of UTC at a moment. */
function zoneOffset(at: Date, timeZone: string | undefined): number {
  const parts = new Intl.DateTimeFormat('en-US', {
    ...(timeZone !== undefined && { timeZone }),
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(at);
  const part = (type: string) => Number(parts.find(found => found.type === type)?.value);
  const wall = Date.UTC(
    part('year'),
    part('month') - 1,
    part('day'),
    part('hour'),
    part('minute'),
    part('second'),
  );
  return Math.round((wall - Math.floor(at.getTime() / 1000) * 1000) / 1000);
}

function offsetSeconds(zone: string): number {
  const [, sign, hours, minutes = '0'] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone) ?? [];
  if (sign === undefined) return 0;
  return (sign === '-' ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60);
}
