/** Patroni with its PostgreSQL, and what Patroni calls when a member's role changes. */
import { join } from 'node:path';
import type { ClusterSpec } from '../../core/manifest/spec.ts';
import type { ComponentKind, DynamicConfig } from '../../core/topology/observation.ts';
import { ETCD_CLIENT_PORT } from '../../engine/etcd/config.ts';
import { dynamicConfig, TIMING } from '../../engine/patroni/config.ts';
import { renderPatroni } from '../../engine/patroni/render.ts';
import { renderTarget } from '../../engine/pgbouncer/config.ts';
import { effectiveParameters } from '../../engine/postgres/tuning.ts';
import { archiveCommand } from './backup/paths.ts';
import { poolerTargetFile } from './frontServices.ts';
import { memberAddress, memberNetwork, ordinalOf, type Paths, VOTERS } from './layout.ts';
import type { ClusterRecord } from './record.ts';
import {
  dcsNamespace,
  memberSocketDir,
  type Parts,
  type RenderInput,
  scripts,
  tlsFiles,
} from './serviceParts.ts';
import { beforeStopScript } from './stopGate.ts';

/** Parameters in effect: the manifest's own win, then those that fit the volume, then the tuned ones. */
export function parametersOf(
  spec: ClusterSpec,
  { volumeBytes }: ClusterRecord,
  paths: Paths,
): Record<string, string> {
  const quarter = `${Math.floor(volumeBytes / 4 / 1024 / 1024)}MB`;
  const fitting: Record<string, string> =
    volumeBytes === 0 ? {} : { max_wal_size: quarter, max_slot_wal_keep_size: quarter };
  return { ...effectiveParameters(spec), ...fitting, ...archiving(spec, paths), ...spec.parameters };
}

/** A loss of all copies costs at most this much of what happened last. */
const ARCHIVE_TIMEOUT = '300';

/** Without repositories nothing is archived, and WAL goes as usual even before the restart that makes it so. */
function archiving(spec: ClusterSpec, paths: Paths): Record<string, string> {
  if (spec.backup.repositories.length === 0) return { archive_mode: 'off', archive_command: '/bin/true' };
  return { archive_mode: 'on', archive_command: archiveCommand(paths), archive_timeout: ARCHIVE_TIMEOUT };
}

export function desiredDynamicConfig(spec: ClusterSpec, record: ClusterRecord, paths: Paths): DynamicConfig {
  return dynamicConfig({
    spec,
    parameters: parametersOf(spec, record, paths),
    systemUsers: [...new Set([record.serviceUser.name, 'root'])],
    memberNetworks: ['127.0.0.0/8', ...(record.isolated ? [`${memberNetwork(record)}.0/24`] : [])],
    defaults: TIMING,
  });
}

export function member(name: string, _kind: ComponentKind, input: RenderInput): Parts {
  const { spec, record, paths, passwords } = input;
  const ordinal = ordinalOf(name);
  const conf = join(paths.conf, name);
  const voters = Array.from({ length: VOTERS }, (_, n) => memberAddress(record, n));
  const own = memberAddress(record, ordinal);
  const callback = join(conf, 'on-role-change');
  const beforeStop = join(conf, 'before-stop');
  const socketDir = memberSocketDir(paths, name);
  const settings = {
    scope: spec.name,
    namespace: dcsNamespace(spec),
    member: { name, address: own, port: record.port },
    etcd: {
      hosts: [...new Set([...(voters.includes(own) ? [own] : []), ...voters])],
      port: ETCD_CLIENT_PORT,
    },
    dynamic: desiredDynamicConfig(spec, record, paths),
    initdb: spec.patroni.initdb,
    paths: {
      data: join(paths.data, name, 'pgdata'),
      binDir: record.postgres.binDir,
      socketDir,
      pgpass: join(paths.data, name, '.pgpass'),
    },
    callback,
    beforeStop,
    tls: tlsFiles(paths, name),
    passwords: { superuser: passwords.postgres ?? '', replication: passwords.standby ?? '' },
  };
  const text = renderPatroni(settings);
  // The bootstrap section is read once, when the cluster is born: later changes go to the dynamic configuration.
  const identity = renderPatroni({ ...settings, dynamic: {}, initdb: {} });
  const file = join(conf, 'patroni.yml');
  return {
    files: [
      { path: file, text, identity, onChange: 'reload' },
      { path: callback, text: roleChangeCallback(own, socketDir, input), onChange: 'reload' },
      { path: beforeStop, text: beforeStopScript(socketDir), onChange: 'reload' },
    ],
    scripts: scripts(name, record, paths, [...record.programs.patroni, file], {
      env: { ...record.programs.patroniEnv, HOME: join(paths.data, name) },
      host: ordinal,
      volume: join(paths.data, name),
    }),
    reload: 'h',
  };
}

/**
 * Patroni calls this on the member whose role changed. It leads the poolers to the new primary as soon as that
 * takes writes, without pgherd: a pooler reaches the primary with no proxy in between and still follows it.
 */
function roleChangeCallback(
  address: string,
  socketDir: string,
  { spec, record, paths }: RenderInput,
): string {
  const target = poolerTargetFile(paths, 'pooler');
  const psql = join(record.postgres.binDir, 'psql');
  const text = renderTarget({ address, port: record.port, lookupUser: spec.pooler.user });
  return `#!/bin/sh
# Called by Patroni: ACTION ROLE CLUSTER. Rendered by pgherd; edits are overwritten.
[ "$2" = primary ] || exit 0
export PGOPTIONS= PGCONNECT_TIMEOUT=2
tries=0
until [ "$(${psql} -h ${socketDir} -p ${record.port} -U postgres -d postgres -XAtc 'SELECT NOT pg_is_in_recovery()' 2>/dev/null)" = t ]; do
  tries=$((tries + 1))
  [ "$tries" -lt 600 ] || exit 1
  sleep 0.05
done
reload() {
  find ${paths.run} -maxdepth 2 -path '*/pooler-[0-9]*/pid' "$@" 2>/dev/null | while read -r pid; do
    kill -HUP "$(cat "$pid")" 2>/dev/null
  done
}
cat > ${target}.$$ <<'TARGET'
${text}TARGET
# PgBouncer (below 1.24) drops logins under way when it reloads, and then refuses all who wait: so not where pgherd has led
# it already, and not twice.
if cmp -s ${target}.$$ ${target}; then
  rm -f ${target}.$$
else
  mv -f ${target}.$$ ${target}
  reload
fi
# A pooler that was just being started may have read the old target, and had no pid file yet.
sleep 1
reload -newermt '3 seconds ago'
exit 0
`;
}
