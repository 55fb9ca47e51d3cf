import type { ClusterSpec } from '../../core/manifest/spec.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

/** Connections kept free for administration, replication and the control plane. */
export const RESERVED_CONNECTIONS = 20;

/**
 * Server parameters that follow from the manifest's resources, before the manifest's own parameters.
 * max_connections follows the rule of the format's image (a connection per 30 MB, 100 to 1000);
 * shared_buffers is a quarter of the memory limit, PostgreSQL's own starting point for a dedicated server.
 * `volume` bounds the WAL that a lost standby may hold back, so that its slot cannot fill the disk.
 */
export function tunedParameters(spec: ClusterSpec): Record<string, string> {
  const memory = spec.resources.limits.memoryBytes;
  const cores = Math.max(1, Math.ceil(spec.resources.limits.cpuMillis / 1000));
  return {
    max_connections: String(Math.min(1000, Math.max(100, Math.floor(memory / 30e6)))),
    shared_buffers: megabytes(Math.max(16 * MIB, memory / 4)),
    effective_cache_size: megabytes(Math.max(64 * MIB, (memory * 3) / 4)),
    maintenance_work_mem: megabytes(Math.min(GIB, Math.max(16 * MIB, memory / 16))),
    max_worker_processes: String(Math.max(8, cores)),
    max_parallel_workers: String(Math.max(2, cores)),
    max_wal_senders: '20',
    max_replication_slots: '20',
    wal_level: 'replica',
    wal_log_hints: 'on',
    wal_keep_size: '128MB',
    max_slot_wal_keep_size: megabytes(Math.max(512 * MIB, spec.volume.sizeBytes / 4)),
    wal_sender_timeout: '5s',
    wal_receiver_timeout: '5s',
    // A standby asks for its slot before Patroni has made it, after its copy and after a failover: not 5 s again.
    wal_retrieve_retry_interval: '500ms',
    tcp_keepalives_idle: '30',
    tcp_keepalives_interval: '5',
    tcp_keepalives_count: '3',
    password_encryption: 'scram-sha-256',
    log_line_prefix: 'postgres[%p] %q%u@%d ',
    log_lock_waits: 'on',
    log_checkpoints: 'on',
    log_timezone: 'Etc/UTC',
  };
}

/** Everything in effect: the manifest's parameters win over the tuned ones. */
export function effectiveParameters(spec: ClusterSpec): Record<string, string> {
  return { ...tunedParameters(spec), ...spec.parameters };
}

export function maxConnections(spec: ClusterSpec): number {
  return Number(effectiveParameters(spec).max_connections);
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / MIB)}MB`;
}
