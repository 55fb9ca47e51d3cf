/** What pg_controldata says of a data directory, run with LC_ALL=C. */
export interface ControlData {
  systemIdentifier: string;
  state: string;
  /** Where the record of the last checkpoint begins. */
  checkpoint: string;
  /** What a server that replays this directory's WAL must have at least. */
  limits: Record<string, string>;
  walLevel: string;
  checksums: boolean;
}

/** A standby that has less of these than its primary had does not start. */
const LIMITS: Record<string, string> = {
  'max_connections setting': 'max_connections',
  'max_worker_processes setting': 'max_worker_processes',
  'max_wal_senders setting': 'max_wal_senders',
  'max_prepared_xacts setting': 'max_prepared_transactions',
  'max_locks_per_xact setting': 'max_locks_per_transaction',
};

/** undefined where the text is not what pg_controldata writes. */
export function parseControlData(text: string): ControlData | undefined {
  const values = new Map(
    text.split('\n').map(line => {
      const [name = '', ...rest] = line.split(':');
      return [name.trim(), rest.join(':').trim()] as const;
    }),
  );
  const systemIdentifier = values.get('Database system identifier');
  const state = values.get('Database cluster state');
  const checkpoint = values.get('Latest checkpoint location');
  const walLevel = values.get('wal_level setting');
  if (systemIdentifier === undefined || state === undefined) return undefined;
  if (checkpoint === undefined || walLevel === undefined) return undefined;
  const limits = Object.entries(LIMITS).flatMap(([label, name]) => {
    const value = values.get(label);
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    systemIdentifier,
    state,
    checkpoint,
    walLevel,
    limits: Object.fromEntries(limits),
    checksums: Number(values.get('Data page checksum version')) > 0,
  };
}
