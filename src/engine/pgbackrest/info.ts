import { z } from 'zod';
import type { BackupSet, BackupType } from '../../core/schedule/facts.ts';
import { PgherdError } from '../../lib/errors.ts';

/** Only what is read; pgBackRest adds fields from version to version. */
const size = z.object({
  size: z.number(),
  delta: z.number(),
  repository: z.object({ delta: z.number().optional(), size: z.number().nullish() }),
});
const stanza = z.object({
  name: z.string(),
  status: z.object({ code: z.number(), message: z.string() }),
  repo: z
    .array(
      z.object({
        key: z.number(),
        cipher: z.string(),
        status: z.object({ code: z.number(), message: z.string() }),
      }),
    )
    .optional(),
  /** One for each system identifier; none before the first segment. */
  archive: z.array(z.object({ id: z.string() })).optional(),
  backup: z.array(
    z.object({
      label: z.string(),
      prior: z.string().nullable(),
      reference: z.array(z.string()).nullish(),
      type: z.enum(['full', 'diff', 'incr']),
      timestamp: z.object({ start: z.number(), stop: z.number() }),
      archive: z.object({ start: z.string().nullable(), stop: z.string().nullable() }),
      lsn: z.object({ start: z.string(), stop: z.string() }).nullish(),
      error: z.boolean().nullish(),
      info: size,
    }),
  ),
});

/** ok also where there are no backups yet. missing: nothing has been made there. other: it could not be read. */
export interface StanzaInfo {
  status: 'ok' | 'missing' | 'other';
  /** pgBackRest's own words where the status is not ok. */
  message: string;
  encrypted: boolean;
  /** Folder of the archive that is written to now; undefined: nothing was archived yet. */
  archiveId: string | undefined;
  /** Oldest first, without the repository's name. */
  backups: Omit<BackupSet, 'repository'>[];
}

const TYPES: Record<'full' | 'diff' | 'incr', BackupType> = {
  full: 'full',
  diff: 'differential',
  incr: 'incremental',
};

/** The words of the command line. */
export const TYPE_NAMES: Record<BackupType, 'full' | 'diff' | 'incr'> = {
  full: 'full',
  differential: 'diff',
  incremental: 'incr',
};

/** pgBackRest's codes: 0 ok, 1 no stanza path, 2 no backups, 3 no stanza data, 99 and the rest: unreadable. */
const STATUS: Partial<Record<number, StanzaInfo['status']>> = {
  0: 'ok',
  1: 'missing',
  2: 'ok',
  3: 'missing',
};

/** Reads `info --output=json --stanza=…` of one repository. Rejects what is not that with a PgherdError. */
export function parseInfo(text: string): StanzaInfo {
  const parsed = z.array(stanza).safeParse(jsonOf(text));
  if (!parsed.success) {
    throw new PgherdError({
      code: 'pgbackrest-unknown-answer',
      message: 'what pgBackRest says of its backups cannot be understood',
      detail: z.prettifyError(parsed.error),
      hint: 'this version of pgBackRest may be too new',
    });
  }
  const [found] = parsed.data;
  if (found === undefined)
    return { status: 'missing', message: 'no stanza', encrypted: false, archiveId: undefined, backups: [] };
  // The status of the stanza sums up its repositories; of the one that was asked for it says more.
  const [repository] = found.repo ?? [];
  const { code, message } = repository?.status ?? found.status;
  return {
    status: STATUS[code] ?? 'other',
    message,
    encrypted: repository !== undefined && repository.cipher !== 'none',
    archiveId: found.archive?.at(-1)?.id,
    backups: found.backup.map(backup => ({
      id: backup.label,
      type: TYPES[backup.type],
      startedAt: isoOf(backup.timestamp.start),
      finishedAt: isoOf(backup.timestamp.stop),
      needs: needsOf(backup),
      timeline: Number.parseInt((backup.archive.stop ?? '00000000').slice(0, 8), 16),
      wal: { first: backup.archive.start ?? '', last: backup.archive.stop ?? '' },
      lsn: { start: backup.lsn?.start ?? '0/0', stop: backup.lsn?.stop ?? '0/0' },
      databaseBytes: backup.info.size,
      ownBytes: backup.info.repository.delta ?? 0,
      repositoryBytes: backup.info.repository.size ?? backup.info.repository.delta ?? 0,
      pageErrors: backup.error === true,
    })),
  };
}

function needsOf(backup: { prior: string | null; reference?: string[] | null | undefined }): string[] {
  return [...new Set([...(backup.reference ?? []), ...(backup.prior === null ? [] : [backup.prior])])];
}

function isoOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
