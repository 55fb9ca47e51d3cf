import type { Outcome } from './history.ts';

/** How a statement that was not acknowledged ended. */
export interface Ending {
  /** SQLSTATE, or the system's code (ECONNREFUSED); undefined when there was none, as with a client's own timeout. */
  code: string | undefined;
  /** The statement had been handed to a connection. False: only a connection was asked for. */
  sent: boolean;
}

/**
 * SQLSTATEs, or classes of them, with which a server says that nothing of the transaction was committed. Each is
 * raised before a commit record can be written (PostgreSQL's source, and appendix A of its manual).
 */
const refusals = [
  // Raised while a value is computed.
  '22',
  // Constraints are checked before commit, deferred ones too; a write is sent only once.
  '23',
  // A statement that may not run inside a transaction.
  '25001',
  // The executor refuses to write: a standby, or a primary set to read only.
  '25006',
  // There is no transaction.
  '25P01',
  // The transaction had failed before.
  '25P02',
  // Idle in transaction: looked for only before the next statement begins.
  '25P03',
  // No such prepared statement, found at Bind: usual behind a pooler.
  '26',
  // The login was refused; PgBouncer hands the code on to clients that wait for a server.
  '28',
  // No such database, found at login.
  '3D',
  // Serialization failure, checked before commit.
  '40001',
  // Deadlock, found while waiting for a lock.
  '40P01',
  // Raised while a statement is parsed, planned or its rights are checked.
  '42',
  // Too many connections, found at login.
  '53300',
  // Lock not available: the statement had to wait for it first.
  '55P03',
  // Starting up or shutting down: the server takes no login.
  '57P03',
];

/**
 * Failed: it was certainly not written. Unknown: everything else. A wrong "unknown" weakens a check, a wrong "failed"
 * makes it lie, so a code must be in the list to count. Unknown on purpose, though they look like refusals:
 *
 * - 08xxx: the connection ended. PgBouncer's own errors all carry 08P01 (send_pooler_error in its proto.c), whether
 *   the statement had gone to the server or not.
 * - 57P01, 57P02: the server was shut down or a neighbour crashed, perhaps between commit and answer.
 * - 57014 and warnings (01000): a cancel ends the wait for a synchronous standby *after* the local commit; the server
 *   then warns and says COMMIT (SyncRepWaitForLSN in syncrep.c). The same warning carries 57P01 at a shutdown.
 * - 25P04: the transaction timeout may be noticed after the commit.
 * - 53100, 58030, XX000: a PANIC in the middle of writing WAL carries them; recovery may find the commit record.
 * - 40003: statement completion unknown, by its name.
 */
export function classifyError({ code, sent }: Ending): Exclude<Outcome, 'acknowledged'> {
  if (!sent) return 'failed';
  if (code === undefined || isSystemCode(code)) return 'unknown';
  return refusals.some(prefix => code.startsWith(prefix)) ? 'failed' : 'unknown';
}

/** A group of codes for reports. */
export interface ErrorClass {
  /** The first two characters of an SQLSTATE, a system code as it is, or "none". */
  class: string;
  title: string;
}

/** Titles after appendix A of PostgreSQL's manual, in words for people who do not know it. */
const sqlTitles: Record<string, string> = {
  '01': 'warning',
  '08': 'connection lost or refused',
  '22': 'bad value',
  '23': 'constraint violated',
  '25': 'read-only or failed transaction',
  '26': 'prepared statement missing',
  '28': 'login refused',
  '3D': 'database missing',
  '40': 'transaction rolled back',
  '42': 'statement refused',
  '53': 'out of resources',
  '54': 'limit of the program exceeded',
  '55': 'object not ready',
  '57': 'operator intervention',
  '58': 'system error',
  XX: 'internal error',
};

const systemTitles: Record<string, string> = {
  EAI_AGAIN: 'name not resolved',
  ECONNABORTED: 'connection aborted',
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EHOSTDOWN: 'host down',
  EHOSTUNREACH: 'host unreachable',
  EMFILE: 'too many open files',
  ENETUNREACH: 'network unreachable',
  ENOENT: 'socket missing',
  ENOTFOUND: 'name not found',
  EPIPE: 'connection closed while sending',
  ETIMEDOUT: 'timed out',
};

/** PostgreSQL has no SQLSTATE that begins with E; the system's codes all do. */
function isSystemCode(code: string): boolean {
  return code.startsWith('E');
}

/** The group a code belongs to: 57P01 to 57, ECONNRESET to itself. Codes nobody foresaw keep themselves as title. */
export function errorClass(code: string | undefined): ErrorClass {
  if (code === undefined) return { class: 'none', title: 'no answer' };
  if (isSystemCode(code)) return { class: code, title: systemTitles[code] ?? code };
  if (!/^[0-9A-Z]{5}$/.test(code)) return { class: code, title: code };
  const group = code.slice(0, 2);
  return { class: group, title: sqlTitles[group] ?? `SQLSTATE class ${group}` };
}
