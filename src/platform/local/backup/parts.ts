/** Backups, restores and dumps of one cluster, made from what the cluster knows of itself. */
import type { ClusterSpec } from '../../../core/manifest/spec.ts';
import type { MemberObservation } from '../../../core/topology/observation.ts';
import { insideTarget } from '../access.ts';
import type { Machine } from '../apply.ts';
import type { Paths } from '../layout.ts';
import { connectInside } from '../primarySql.ts';
import type { ClusterRecord } from '../record.ts';
import type { SecretStore } from '../secrets.ts';
import { LocalDumps } from './dumps/index.ts';
import { LocalBackups } from './index.ts';
import type { LocalBackupInput } from './input.ts';
import { LocalRestores } from './restore/index.ts';

export interface BackupPartsInput {
  spec: ClusterSpec;
  paths: Paths;
  secrets: SecretStore;
  /** Prefix of the cluster's keys in the DCS. */
  scope: string;
  record(): ClusterRecord;
  machine(): Promise<Machine>;
  /** As they are now. */
  members(signal: AbortSignal): Promise<MemberObservation[]>;
  /** Rejects where there is none. */
  primary(signal: AbortSignal): Promise<MemberObservation>;
  psql(database: string): Promise<{ argv: string[]; env: Record<string, string> }>;
}

export interface BackupParts {
  backups: LocalBackups;
  restores: LocalRestores;
  dumps: LocalDumps;
}

export function backupParts(input: BackupPartsInput): BackupParts {
  const { spec, paths, secrets, scope } = input;
  const record = input.record();
  const common: LocalBackupInput = {
    spec,
    paths,
    record: input.record,
    members: input.members,
    primary: async signal => {
      const [primary, other] = (await input.members(signal)).filter(({ role }) => role === 'primary');
      return other === undefined ? primary : undefined;
    },
    connect: (member, signal) => connectInside(insideTarget(record, paths, member), signal),
  };
  const backups = new LocalBackups(common);
  return {
    backups,
    restores: new LocalRestores({
      ...common,
      inside: member => insideTarget(record, paths, member),
      swapMeans: async signal => ({
        machine: await input.machine(),
        spec,
        secrets,
        scope,
        primary: (await common.primary(signal))?.name,
      }),
      primaryEndpoint: async database => {
        const { argv, env } = await input.psql(database);
        return { conninfo: argv[1] ?? '', env };
      },
    }),
    dumps: new LocalDumps(spec, record, paths.root, {
      memory: () => backups.memory,
      primary: async signal => insideTarget(record, paths, (await input.primary(signal)).name),
    }),
  };
}
