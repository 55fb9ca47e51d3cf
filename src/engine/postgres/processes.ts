/** PostgreSQL's processes: what their titles say, and which of them a fault hits. */

/** Processes of PostgreSQL that titles tell apart. */
export type TitledProcess = 'walwriter' | 'checkpointer' | 'walsender' | 'walreceiver' | 'startup';

/** What a process of PostgreSQL does, by its title "postgres: CLUSTER: walwriter"; undefined: something else. */
export function roleInTitle(title: string, cluster: string): TitledProcess | undefined {
  const prefix = `postgres: ${cluster}: `;
  if (!title.startsWith(prefix)) return undefined;
  const [word, ...rest] = title.slice(prefix.length).trim().split(/\s+/);
  switch (word) {
    // With more words it is the session of a user of that name.
    case 'walwriter':
    case 'checkpointer':
      return rest.length === 0 ? word : undefined;
    case 'walreceiver':
      return rest.length === 0 || rest[0] === 'streaming' ? word : undefined;
    case 'startup':
      return rest.length === 0 || ['recovering', 'waiting'].includes(rest[0] ?? '') ? word : undefined;
    // "walsender standby 127.64.0.11(40000) streaming 0/5000060"
    case 'walsender':
      return word;
    default:
      return undefined;
  }
}

/** Sessions of drills and stress tests say that they are ones; those are hit first. */
export const VICTIM = `
SELECT pid FROM pg_stat_activity
 WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
   AND application_name !~ '^(pgherd|Patroni|pgherd-drill-watch)$' AND application_name !~ '^Patroni '
 ORDER BY application_name LIKE 'pgherd-drill%' DESC, state = 'active' DESC, pid`;

/** Those whose standby commits wait for come first. */
export const SENDER = `
SELECT pid FROM pg_stat_replication ORDER BY sync_state IN ('sync', 'quorum') DESC, application_name`;
