/** A PostgreSQL parameter that is not the manifest's to set. */
export interface OwnedParameter {
  /** Why, as the end of the sentence "`port` cannot be set: …". */
  why: string;
  /** What to do instead. */
  remedy: string;
  /** Values that are in force anyway: the line is then needless, not wrong. */
  inForce?: readonly string[];
  /** Any value is only set aside, with a warning: the cluster works as well without it. */
  setAside?: boolean;
}

const on = ['on', 'true', 'yes', '1'];
const remove = 'delete the line';
const exposure = 'delete the line; who may connect is said by allowedSourceRanges and `--listen`';

const address: OwnedParameter = {
  why: 'each member listens on an address and port of its own',
  remedy: exposure,
};
const place: OwnedParameter = { why: 'pgherd chooses where the files of a member lie', remedy: remove };
const certificate: OwnedParameter = {
  why: 'certificates come from the authority of the cluster',
  remedy: remove,
};
const replication: OwnedParameter = { why: 'Patroni connects the standbys to the primary', remedy: remove };
const archive: OwnedParameter = {
  why: 'the archive belongs to the backups, which pgherd sets up itself',
  remedy: remove,
};
const recovery: OwnedParameter = { why: 'pgherd sets it while it restores, and only then', remedy: remove };
const include: OwnedParameter = {
  why: 'the whole configuration comes from the manifest',
  remedy: 'write the parameters here',
};
const log: OwnedParameter = {
  why: 'pgherd collects the log of each server, for `pgherd logs`',
  remedy: 'it is set aside; delete the line to silence this',
  setAside: true,
};

/** By lower-case name: PostgreSQL does not tell the cases of a parameter name apart. */
export const ownedParameters: ReadonlyMap<string, OwnedParameter> = new Map<string, OwnedParameter>([
  ['listen_addresses', address],
  ['port', address],
  ['unix_socket_directories', place],
  ['unix_socket_group', place],
  ['unix_socket_permissions', place],
  ['data_directory', place],
  ['config_file', place],
  ['hba_file', { why: place.why, remedy: 'write the lines below patroni.pg_hba' }],
  ['ident_file', place],
  ['external_pid_file', place],
  ['cluster_name', { why: 'Patroni gives it the name of the cluster', remedy: remove }],
  ['hot_standby', { why: 'standbys must answer queries', remedy: remove, inForce: on }],
  ['wal_log_hints', { why: 'pg_rewind needs it', remedy: remove, inForce: on }],
  ['primary_conninfo', replication],
  ['primary_slot_name', replication],
  [
    'synchronous_standby_names',
    {
      why: 'Patroni names the synchronous standbys',
      remedy: 'use patroni.synchronous_mode and synchronous_node_count',
    },
  ],
  ['archive_mode', archive],
  ['archive_command', archive],
  ['archive_library', archive],
  ['restore_command', archive],
  ['archive_cleanup_command', archive],
  ['recovery_end_command', recovery],
  ['recovery_target', recovery],
  ['recovery_target_name', recovery],
  ['recovery_target_time', recovery],
  ['recovery_target_xid', recovery],
  ['recovery_target_lsn', recovery],
  ['recovery_target_inclusive', recovery],
  ['recovery_target_timeline', recovery],
  ['recovery_target_action', recovery],
  [
    'promote_trigger_file',
    { why: 'Patroni alone promotes', remedy: 'delete the line; use `pgherd switchover`' },
  ],
  ['ssl', { why: 'clients must use TLS', remedy: remove, inForce: on }],
  ['ssl_cert_file', certificate],
  ['ssl_key_file', certificate],
  ['ssl_ca_file', certificate],
  ['ssl_crl_file', certificate],
  ['ssl_crl_dir', certificate],
  ['ssl_passphrase_command', certificate],
  ['ssl_passphrase_command_supports_reload', certificate],
  [
    'password_encryption',
    { why: 'passwords are kept as SCRAM only', remedy: remove, inForce: ['scram-sha-256'] },
  ],
  ['include', include],
  ['include_dir', include],
  ['include_if_exists', include],
  ['logging_collector', log],
  ['log_destination', log],
  ['log_directory', log],
  ['log_filename', log],
  ['log_file_mode', log],
  ['log_line_prefix', log],
  ['log_timezone', log],
]);

/** Values that break a promise of the cluster although the parameter itself is free. */
export const refusedValues: ReadonlyMap<string, { values: readonly string[]; why: string; remedy: string }> =
  new Map([
    [
      'wal_level',
      {
        values: ['minimal'],
        why: 'a standby cannot follow it',
        remedy: 'write "replica" or "logical", or delete the line',
      },
    ],
  ]);

/** Values that cost data in a crash: the user's choice, said aloud. */
export const riskyValues: ReadonlyMap<string, { values: readonly string[]; risk: string }> = new Map([
  [
    'fsync',
    { values: ['off', 'false', 'no', '0'], risk: 'a crash of the machine destroys the data of that member' },
  ],
  [
    'full_page_writes',
    { values: ['off', 'false', 'no', '0'], risk: 'a crash of the machine can tear pages of that member' },
  ],
  [
    'synchronous_commit',
    {
      values: ['off', 'false', 'no', '0', 'local'],
      risk: 'commits are acknowledged before a standby has them, whatever synchronous_mode says',
    },
  ],
]);
