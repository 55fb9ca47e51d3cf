/** Configuration of a server that is restored from a backup, beside whatever runs. */
import type { RecoveryTarget } from '../../core/schedule/target.ts';
import type { ControlData } from './controlData.ts';

export interface ScratchInput {
  dataDirectory: string;
  socketDirectory: string;
  hbaFile: string;
  identFile: string;
  control: ControlData;
  /** Shell command with %f and %p. */
  restoreCommand: string;
  /** undefined: to the end of the archive. */
  target: RecoveryTarget | undefined;
  timeline: number | undefined;
  /** Libraries that the cluster preloads: their WAL may need them. */
  preload: string | undefined;
  /** It is thrown away whatever happens: what it writes need not survive a crash of the machine. */
  disposable: boolean;
}

/** Port that names the socket; it listens nowhere else. */
export const SCRATCH_PORT = 5432;

/**
 * postgresql.conf of a scratch: it listens on a Unix socket only, takes no write by default, and archives nothing.
 * Archiving is on nevertheless, with a command that says "later": what has to be archived once the scratch has become
 * the cluster (the history of its timeline) is marked so and stays until then.
 */
export function renderScratchConfig(input: ScratchInput): string {
  const { control, timeline, disposable } = input;
  const settings: Record<string, string> = {
    data_directory: input.dataDirectory,
    hba_file: input.hbaFile,
    ident_file: input.identFile,
    listen_addresses: '',
    port: String(SCRATCH_PORT),
    unix_socket_directories: input.socketDirectory,
    unix_socket_permissions: '0700',
    ...control.limits,
    wal_level: control.walLevel,
    ...(input.preload !== undefined && { shared_preload_libraries: input.preload }),
    shared_buffers: '128MB',
    max_wal_size: '1GB',
    checkpoint_timeout: '1h',
    archive_mode: disposable ? 'off' : 'on',
    archive_command: '',
    hot_standby: 'on',
    default_transaction_read_only: 'on',
    synchronous_standby_names: '',
    // What runs by itself elsewhere must not run twice: subscriptions would take the changes of the real one's slots.
    max_logical_replication_workers: '0',
    autovacuum: 'off',
    ssl: 'off',
    logging_collector: 'off',
    log_destination: 'stderr',
    // %e: errors are told apart by their SQLSTATE.
    log_line_prefix: '%m [%p] %e ',
    log_min_messages: 'warning',
    restore_command: input.restoreCommand,
    recovery_target_timeline: timeline === undefined ? 'latest' : String(timeline),
    ...targetSettings(input.target),
    ...(disposable && { fsync: 'off', full_page_writes: 'off' }),
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`)
    .join('');
}

function targetSettings(target: RecoveryTarget | undefined): Record<string, string> {
  const action = { recovery_target_action: 'promote' };
  switch (target?.kind) {
    case undefined:
      return {};
    case 'time':
      // While the server reads its settings it knows no names of zones, and "Z" is one.
      return { recovery_target_time: target.at.replace('T', ' ').replace(/Z$/, '+00'), ...action };
    case 'lsn':
      return { recovery_target_lsn: target.lsn, ...action };
    case 'xid':
      return { recovery_target_xid: target.xid, ...action };
    case 'name':
      return { recovery_target_name: target.name, ...action };
    case 'immediate':
      return { recovery_target: 'immediate', ...action };
  }
}

/** Errors in a log with our prefix, in order. `pid`: of the process of the server that had it. */
export function logErrors(log: string): { pid: number; sqlstate: string; text: string }[] {
  return log.split('\n').flatMap(line => {
    const [, pid, sqlstate, text] =
      /^\S+ \S+ \S+ \[(\d+)\] ([0-9A-Z]{5}) (?:FATAL|PANIC|ERROR): +(.*)$/.exec(line) ?? [];
    return sqlstate === undefined || text === undefined ? [] : [{ pid: Number(pid), sqlstate, text }];
  });
}

/**
 * Of the process that replays, where the WAL ended before the target. It has no SQLSTATE of its own (internal_error):
 * whoever acts on it must make sure by what another replay gives.
 */
export const REPLAY_FAILED = 'XX000';

/** Where a timeline left its parent, and why: the last line of its history file. */
export function parseHistory(text: string): { parent: number; lsn: string; reason: string } | undefined {
  const line = text
    .split('\n')
    .filter(candidate => /^\d+\t/.test(candidate))
    .at(-1);
  const [parent, lsn, reason] = line?.split('\t') ?? [];
  return parent === undefined || lsn === undefined
    ? undefined
    : { parent: Number(parent), lsn, reason: reason ?? '' };
}
