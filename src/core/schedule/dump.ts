/** What a logical backup holds: the document that lies beside its files. */
import { z } from 'zod';

const file = z.object({
  /** Name below the dump's directory. */
  file: z.string(),
  holds: z.enum(['globals', 'database']),
  /** undefined for globals. */
  database: z.string().optional(),
  bytes: z.int().nonnegative(),
  /** Hexadecimal digits. */
  sha256: z.string(),
  /** Of a database: its owner, its encoding, its size in the server, how many tables the dump holds. */
  owner: z.string().optional(),
  encoding: z.string().optional(),
  databaseBytes: z.number().optional(),
  tables: z.int().optional(),
});

const contents = z.object({
  schema: z.literal(1),
  /** Of the cluster: another one of this name, made later or elsewhere, has another. */
  uid: z.string(),
  cluster: z.string(),
  namespace: z.string(),
  id: z.string(),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime(),
  /** Versions of the server and of pg_dump, which are one. */
  postgres: z.string(),
  /** Of the database files: pg_restore's format, or SQL for psql. Globals are SQL always. */
  format: z.enum(['custom', 'plain']),
  files: z.array(file),
});

export type DumpFormat = 'custom' | 'plain';
export type DumpedFile = z.infer<typeof file>;
export type DumpContents = z.infer<typeof contents>;

export interface StoredDump {
  id: string;
  /** Where its files lie. */
  path: string;
  /** Of this very cluster, not of another one that had its name. Only such are ever deleted. */
  own: boolean;
  contents: DumpContents;
}

/** undefined: it is no such document, or one of a newer pgherd. */
export function parseDumpContents(text: string): DumpContents | undefined {
  try {
    return contents.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Sortable, and allowed as a file's name everywhere, on SMB shares too: "2026-11-22T02-00-00Z". */
export function dumpId(at: Date): string {
  return at
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(':', '-');
}

/** The moment in an id; undefined: it is none of ours. */
export function dumpMoment(id: string): Date | undefined {
  const [, day, hour, minute, second] = /^(\d{4}-\d{2}-\d{2})T(\d{2})-(\d{2})-(\d{2})Z$/.exec(id) ?? [];
  const moment = new Date(`${day}T${hour}:${minute}:${second}Z`);
  return day === undefined || Number.isNaN(moment.getTime()) ? undefined : moment;
}

/** Windows' names for devices, which no file may have, whatever its ending. */
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)$/i;

/**
 * A file's name for each database, all different where case does not count either. What some file system forbids
 * is written as in a URL.
 */
export function dumpFileNames(databases: readonly string[], format: DumpFormat): Map<string, string> {
  const ending = format === 'custom' ? 'dump' : 'sql';
  const taken = new Set(['globals.sql', 'manifest.json', 'sha256sums']);
  const names = new Map<string, string>();
  for (const database of databases) {
    const safe = safeName(database);
    let name = `${safe}.${ending}`;
    for (let n = 2; taken.has(name.toLowerCase()); n++) name = `${safe}-${n}.${ending}`;
    taken.add(name.toLowerCase());
    names.set(database, name);
  }
  return names;
}

function safeName(database: string): string {
  const encoded = [...database]
    .map(character => (/^[\w.@+-]$/.test(character) ? character : encodeCharacter(character)))
    .join('')
    // Hidden on Unix; cut off on Windows.
    .replace(/^\.|\.$/g, '%2E');
  return DEVICE.test(encoded) ? `_${encoded}` : encoded;
}

function encodeCharacter(character: string): string {
  return [...new TextEncoder().encode(character)]
    .map(byte => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
    .join('');
}
