import { codeOf, DeadlineError, messageOf, PgherdError, RefusedError } from '../lib/errors.ts';
import { InterruptedError, ReaderGoneError } from './interrupt.ts';
import { ManifestInvalidError } from './manifestError.ts';
import type { DiagnosticDocument, ErrorDocument } from './schema.ts';
import type { Look } from './text/look.ts';
import { UsageError } from './usage.ts';

/** Exit codes of every command. */
export const EXIT = { done: 0, failed: 1, degraded: 2 } as const;

export interface Failure {
  exitCode: number;
  code: string;
  message: string;
  detail: string | undefined;
  hint: string | undefined;
  diagnostics: DiagnosticDocument[] | undefined;
  /** Nothing is to be said: nobody listens any more. */
  silent: boolean;
}

export interface FailureFacts {
  verbose: boolean;
  /** Why the command was ended early, if it was: whatever was thrown then is only a consequence. */
  aborted: unknown;
  /** What an interruption of this command leaves behind, and how to go on. */
  interrupted: string | undefined;
}

/** What to say and how to exit for whatever was thrown. */
export function describeFailure(error: unknown, facts: FailureFacts): Failure {
  const reason = facts.aborted ?? error;
  if (reason instanceof ReaderGoneError) {
    return { ...plainFailure(reason, EXIT.done), silent: true };
  }
  if (reason instanceof InterruptedError) {
    const failure = plainFailure(reason, reason.exitCode);
    return {
      ...failure,
      detail: said(error, reason),
      hint: facts.interrupted,
      silent: facts.interrupted === undefined,
    };
  }
  if (reason instanceof DeadlineError && reason === facts.aborted) {
    const failure = plainFailure(reason, EXIT.failed);
    return {
      ...failure,
      detail: said(error, reason) ?? failure.detail,
      hint: facts.interrupted ?? failure.hint,
    };
  }
  if (error instanceof PgherdError) {
    const refused = error instanceof RefusedError || error instanceof UsageError;
    const failure = plainFailure(error, refused ? EXIT.degraded : EXIT.failed);
    const diagnostics = error instanceof ManifestInvalidError ? error.diagnostics : undefined;
    return {
      ...failure,
      diagnostics,
      detail: facts.verbose ? withStack(failure.detail, error) : failure.detail,
    };
  }
  return systemFailure(error) ?? timeoutFailure(error, facts.verbose) ?? defect(error, facts.verbose);
}

function plainFailure(error: PgherdError, exitCode: number): Failure {
  const { code, message, detail, hint } = error;
  return { exitCode, code, message, detail, hint, diagnostics: undefined, silent: false };
}

/** An operation that was aborted may have said what state it left: that is worth more than the bare reason. */
function said(error: unknown, reason: PgherdError): string | undefined {
  return error instanceof PgherdError && error !== reason
    ? [error.message, error.detail].filter(Boolean).join('\n')
    : undefined;
}

const SYSTEM_ERRORS: Readonly<Record<string, { message: string; hint: string }>> = {
  ENOSPC: { message: 'no space is left on the device', hint: 'free some space and run the command again' },
  EDQUOT: { message: 'the disk quota is used up', hint: 'free some space and run the command again' },
  EACCES: {
    message: 'permission denied',
    hint: 'run the command as the user who owns the state directory, or name another one with --state-dir',
  },
  EPERM: {
    message: 'operation not permitted',
    hint: 'run the command as the user who owns the state directory, or name another one with --state-dir',
  },
  EROFS: { message: 'the file system is read-only', hint: 'name another place with --state-dir' },
  EMFILE: {
    message: 'too many files are open',
    hint: 'raise the limit (ulimit -n) and run the command again',
  },
  ENFILE: {
    message: 'too many files are open on this machine',
    hint: 'raise fs.file-max and run the command again',
  },
  ENOMEM: { message: 'the machine is out of memory', hint: 'free some memory and run the command again' },
};

/** What the machine refuses is no defect of ours, even where no room foresaw it. */
function systemFailure(error: unknown): Failure | undefined {
  const code = codeOf(error);
  const known = code === undefined ? undefined : SYSTEM_ERRORS[code];
  if (code === undefined || known === undefined) return undefined;
  return {
    exitCode: EXIT.failed,
    code: `system-${code.toLowerCase()}`,
    message: known.message,
    detail: messageOf(error),
    hint: known.hint,
    diagnostics: undefined,
    silent: false,
  };
}

/** A deadline that no room translated: late, but nobody's defect on a machine that is busy enough. */
function timeoutFailure(error: unknown, verbose: boolean): Failure | undefined {
  if (!(error instanceof DOMException) || error.name !== 'TimeoutError') return undefined;
  return {
    exitCode: EXIT.failed,
    code: 'timed-out',
    message: 'a server or program of the cluster did not answer in time',
    detail: verbose ? error.stack : undefined,
    hint: 'look what is wrong (pgherd status, pgherd logs), then run the same command again',
    diagnostics: undefined,
    silent: false,
  };
}

function defect(error: unknown, verbose: boolean): Failure {
  return {
    exitCode: EXIT.failed,
    code: 'defect',
    message: `this is a defect of pgherd: ${messageOf(error)}`,
    detail: verbose && error instanceof Error ? error.stack : undefined,
    hint: verbose
      ? 'please report it with the lines above'
      : 'run the same command with --verbose for where it happened, and please report it',
    diagnostics: undefined,
    silent: false,
  };
}

function withStack(detail: string | undefined, error: Error): string {
  const causes: string[] = [];
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
    causes.push(cause.stack ?? String(cause));
  return [detail, ...causes].filter(Boolean).join('\n');
}

/** The document of a failure, for `--output json`. */
export function failureDocument(failure: Failure): ErrorDocument {
  const { code, message, detail, hint, diagnostics } = failure;
  return {
    schema: 1,
    error: { code, message, detail: detail ?? null, hint: hint ?? null, ...(diagnostics && { diagnostics }) },
  };
}

/** Lines for stderr: `error:`, the facts indented below it, and the remedy. */
export function failureText(failure: Failure, look: Look): string {
  const headline = `${look.bad('error:')} ${failure.message}`;
  const detail = failure.detail ? failure.detail.split('\n') : [];
  // Findings begin with `file:line:column`, where editors and people look for it; what they sum up to stands last.
  const lines =
    failure.diagnostics === undefined
      ? [headline, ...detail.map(line => `  ${line}`.trimEnd())]
      : [...detail, headline];
  if (failure.hint) {
    const [first, ...rest] = failure.hint.split('\n');
    lines.push(`${look.strong('hint:')} ${first}`, ...rest.map(line => `      ${line}`.trimEnd()));
  }
  return lines.join('\n');
}
