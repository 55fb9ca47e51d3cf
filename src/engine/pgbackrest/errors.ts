import { PgherdError } from '../../lib/errors.ts';
import { CommandError } from '../../lib/exec.ts';

/** pgBackRest ended with an error. `exitCode` is its own number of the cause. */
export class PgBackRestError extends PgherdError {
  readonly exitCode: number | undefined;
  constructor(facts: ConstructorParameters<typeof PgherdError>[0] & { exitCode: number | undefined }) {
    super(facts);
    this.exitCode = facts.exitCode;
  }
}

interface Meaning {
  code: string;
  message: string;
  hint?: string;
}

function foreign(message: string): Meaning {
  const hint = 'restore that one, or name another place for the repository';
  return { code: 'repository-foreign', message, hint };
}

/** By pgBackRest's exit codes (src/build/error/error.yaml there), the same from 2.45 to 2.55. */
const MEANINGS: Partial<Record<number, Meaning>> = {
  26: {
    code: 'repository-damaged',
    message: 'a file in the repository is not what was written',
    hint: 'use another repository; `pgherd verify` names what is damaged',
  },
  28: foreign('the repository holds backups of another cluster of this name'),
  44: foreign('the archive in the repository belongs to another cluster of this name'),
  45: { code: 'archive-duplicate', message: 'the archive has another WAL segment of this name' },
  49: { code: 'repository-unreachable', message: 'the server of the repository does not answer' },
  50: {
    code: 'backup-running',
    message: 'another pgbackrest works on these backups',
    hint: 'wait until it has ended',
  },
  51: foreign('the backups in the repository belong to another cluster of this name'),
  55: { code: 'repository-file-missing', message: 'a file that should be in the repository is missing' },
  56: { code: 'backup-no-server', message: 'no PostgreSQL to back up answers' },
  63: { code: 'backup-stopped', message: 'pgbackrest was stopped' },
  73: { code: 'repository-missing', message: 'the place of the repository is not there' },
  75: { code: 'no-such-backup', message: 'there is no such backup in the repository' },
  82: {
    code: 'archive-late',
    message: 'the WAL that the backup needs did not reach the repository in time',
    hint: 'see `pgherd backups`: why archiving fails stands there',
  },
  87: {
    code: 'archive-disabled',
    message: 'PostgreSQL does not archive yet',
    hint: 'restart the members that wait for it: pgherd restart',
  },
  95: {
    code: 'repository-key-wrong',
    message: 'the repository has another key, or its certificate is not trusted',
    hint: 'give the key that was saved (`pgherd backup-key`); of a bucket, `caFile` names the authority, and the endpoint must be a name in its certificate',
  },
  102: { code: 'repository-unreachable', message: 'the service of the repository refuses' },
  103: { code: 'repository-invalid', message: 'the place holds something else than a repository' },
};

const UNENDED: Record<'signal' | 'timeout' | 'not-found' | 'not-started', Meaning> = {
  signal: { code: 'pgbackrest-killed', message: 'pgbackrest was killed', hint: 'run the command again' },
  timeout: { code: 'pgbackrest-late', message: 'the storage of the repository does not answer in time' },
  'not-found': {
    code: 'pgbackrest-missing',
    message: 'pgbackrest is not installed',
    hint: 'run `pgherd setup`',
  },
  'not-started': { code: 'pgbackrest-not-started', message: 'pgbackrest could not be started' },
};

/** Codes by which a file of the storage could not be written, made, moved or removed. */
const STORAGE_CODES = [41, 42, 47, 52, 53, 54, 60, 61, 64, 74, 79, 83, 88, 93, 97, 98];

/**
 * What an error of a run of pgbackrest means for people: by its exit code. Anything but a CommandError is given back
 * as it is. `what` begins the sentence: "backup into nas".
 */
export function explain(what: string, error: unknown): unknown {
  if (!(error instanceof CommandError)) return error;
  // What the command line was is of no use to anybody who reads this.
  if (error.reason !== 'exit')
    return new PgBackRestError({
      ...UNENDED[error.reason],
      message: `${what}: ${UNENDED[error.reason].message}`,
      exitCode: undefined,
    });
  const { exitCode } = error;
  const storage = exitCode !== undefined && STORAGE_CODES.includes(exitCode);
  const meaning: Meaning = MEANINGS[exitCode ?? -1] ?? {
    code: storage ? 'repository-not-writable' : 'pgbackrest-failed',
    message: storage ? 'the storage of the repository refuses' : `pgbackrest ended with code ${exitCode}`,
  };
  return new PgBackRestError({
    code: meaning.code,
    message: `${what}: ${meaning.message}`,
    detail: firstErrorOf(error.stderr || error.stdout),
    hint: meaning.hint,
    exitCode,
    cause: error,
  });
}

/** pgBackRest's own words without time and process: "[082]: WAL segment … was not archived". */
export function firstErrorOf(text: string): string | undefined {
  const lines = text.split('\n').map(line => line.trim());
  const at = lines.findIndex(line => /\bERROR: /.test(line));
  if (at < 0) return lines.find(line => line !== '');
  const first = (lines[at] ?? '').replace(/^.*?\bERROR: /, '');
  const rest = lines.slice(at + 1).filter(line => line !== '' && !/\b(INFO|WARN|ERROR|DETAIL):/.test(line));
  return [first, ...rest.slice(0, 4)].join('; ');
}
