import { formatBytes } from '../../../core/manifest/quantity.ts';
import type { LogicalBackupSpec } from '../../../core/manifest/specBackup.ts';
import type { KubernetesPart } from '../../../core/manifest/specKubernetes.ts';
import { credentials, environmentSources, fromSecret } from './environment.ts';
import { imageOf } from './images.ts';
import type { ObjectsInput } from './input.ts';
import { APPLICATION_LABEL, clusterLabels, DUMPS_APPLICATION, metaOf } from './labels.ts';
import { SECRET_MODE, serverTls, tlsMounts } from './layout.ts';
import { certificateSecretName, logicalBackupName, POSTGRES_PORT, serviceName } from './names.ts';
import { defined, type KubeObject } from './object.ts';
import { containerResources } from './resources.ts';
import { scheduling } from './scheduling.ts';
import { locked, podSecurity } from './security.ts';

const TARGET_DIRECTORY = '/backups';

/** Dumps of all databases on a schedule: the CronJob, and a claim for them where the configuration has no volume. */
export function logicalBackup(input: ObjectsInput): KubeObject[] {
  const { spec, config } = input;
  if (!spec.backup.logical.enabled) return [];
  const name = logicalBackupName(spec.name);
  const claim = config.logicalBackup.volume === undefined ? [dumpClaim(input, name)] : [];
  return [...claim, cronJob(input, name)];
}

/** Dumps outlive the cluster: its claim belongs to nobody, and is for a person to delete. */
function dumpClaim(input: ObjectsInput, name: string): KubeObject {
  const { spec, config } = input;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: metaOf(input, name, { labels: labelsOf(input), keep: true }),
    spec: defined({
      accessModes: ['ReadWriteOnce'],
      storageClassName: config.logicalBackup.storageClass,
      resources: {
        requests: { storage: config.logicalBackup.size ?? formatBytes(spec.volume.sizeBytes) },
      },
    }),
  };
}

function cronJob(input: ObjectsInput, name: string): KubeObject {
  const { spec } = input;
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: metaOf(input, name, { labels: labelsOf(input) }),
    spec: defined({
      schedule: cronForKubernetes(spec.backup.logical.schedule),
      // Since Kubernetes 1.27; without it, that of the control plane.
      timeZone: spec.backup.schedule.timeZone,
      concurrencyPolicy: 'Forbid',
      // A run that was missed is made up for, if it is not too late.
      startingDeadlineSeconds: 6 * 3600,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 3,
      suspend: spec.instances === 0,
      jobTemplate: {
        spec: {
          ttlSecondsAfterFinished: 86_400,
          backoffLimit: 2,
          template: {
            metadata: { labels: labelsOf(input), annotations: spec.kubernetes.podAnnotations },
            spec: pod(input, name),
          },
        },
      },
    }),
  };
}

function labelsOf(input: ObjectsInput): Record<string, string> {
  return { ...clusterLabels(input), [APPLICATION_LABEL]: DUMPS_APPLICATION };
}

function pod(input: ObjectsInput, name: string): KubernetesPart {
  const { spec, config, owner } = input;
  const { kubernetes } = spec;
  const { runAsUser, runAsGroup, fsGroup } = config.pods;
  const tls = serverTls(kubernetes.tls);
  const mounts = tlsMounts(certificateSecretName(spec.name), kubernetes.tls);
  const sources = environmentSources(input);
  const superuser = credentials(input, 'postgres');
  return defined({
    ...placement(input),
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    restartPolicy: 'Never',
    securityContext: podSecurity(
      kubernetes.runAsUser ?? runAsUser,
      kubernetes.runAsGroup ?? runAsGroup,
      kubernetes.fsGroup ?? fsGroup,
    ),
    containers: [
      defined({
        name: 'logical-backup',
        image: imageOf(spec, config),
        imagePullPolicy: config.pods.imagePullPolicy,
        command: [
          '/bin/sh',
          '-c',
          dumpScript(`${TARGET_DIRECTORY}/${owner.namespace}/${spec.name}`, spec.backup.logical),
        ],
        env: [
          {
            name: 'PGHOST',
            value: `${serviceName(spec.name, 'primary')}.${owner.namespace}.svc.${config.clusterDomain}`,
          },
          { name: 'PGPORT', value: String(POSTGRES_PORT) },
          { name: 'PGDATABASE', value: 'postgres' },
          { name: 'PGSSLMODE', value: tls.ca === undefined ? 'require' : 'verify-ca' },
          ...(tls.ca === undefined ? [] : [{ name: 'PGSSLROOTCERT', value: tls.ca }]),
          fromSecret('PGUSER', superuser, 'username'),
          fromSecret('PGPASSWORD', superuser, 'password'),
        ],
        envFrom: sources.length === 0 ? undefined : sources,
        resources: containerResources(spec.resources),
        securityContext: locked,
        volumeMounts: [
          { name: 'backups', mountPath: TARGET_DIRECTORY },
          { name: 'tmp', mountPath: '/tmp' },
          ...mounts.map(({ volume, path }) => ({ name: volume, mountPath: path, readOnly: true })),
        ],
      }),
    ],
    volumes: [
      {
        name: 'backups',
        ...(config.logicalBackup.volume ?? { persistentVolumeClaim: { claimName: name } }),
      },
      { name: 'tmp', emptyDir: {} },
      ...mounts.map(({ volume, secret }) => ({
        name: volume,
        secret: { secretName: secret, defaultMode: SECRET_MODE },
      })),
    ],
  });
}

/** Sunday is 0 in a CronJob, and never 7. */
export function cronForKubernetes(line: string): string {
  const fields = line.trim().split(/\s+/);
  const days = (fields[4] ?? '*').split(',').map(part => {
    const range = /^(\d)-7$/.exec(part);
    if (range === null) return part.replace(/^7\b/, '0');
    if (range[1] === '0') return '*';
    return range[1] === '7' ? '0' : `${range[1]}-6,0`;
  });
  return [...fields.slice(0, 4), days.join(',')].join(' ');
}

/** As the members, but not apart from them. */
function placement(input: ObjectsInput): KubernetesPart {
  const { affinity: _, ...rest } = scheduling(input, {});
  const { nodeAffinity } = input.spec.kubernetes;
  return nodeAffinity === undefined ? rest : { ...rest, affinity: { nodeAffinity } };
}

/** Days of a span: rather a day too many than a backup too few. */
const DAYS = { day: 1, week: 7, month: 31, year: 366 };

/**
 * The run: roles and tablespaces in globals.sql, each database in a file of its own, in a directory that gets its name
 * when it is complete. Older ones go only after that.
 */
export function dumpScript(directory: string, { format, retention }: LogicalBackupSpec): string {
  const suffix = format === 'custom' ? 'dump' : 'sql';
  const options = format === 'custom' ? '--format=custom' : '--format=plain --clean --if-exists';
  const days = retention === undefined ? undefined : retention.amount * DAYS[retention.unit];
  return `set -eu
umask 077
dir='${directory}'
id=$(date -u +%Y-%m-%dT%H-%M-%SZ)
work="$dir/.partial-$id"
mkdir -p "$dir"
rm -rf "$dir"/.partial-*
mkdir "$work"
pg_dumpall --no-password --globals-only --file="$work/globals.sql"
psql --no-password -XAt -F ' ' -o "$work/.databases" -c \\
  "SELECT oid, datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY datname"
while IFS=' ' read -r oid db; do
  file=$(printf %s "$db" | tr -c 'A-Za-z0-9_.-' _)
  [ "$file" = "$db" ] || file="$file-$oid"
  echo "dumping $db"
  PGDATABASE="$db" pg_dump --no-password ${options} --lock-wait-timeout=10min --file="$work/$file.${suffix}" < /dev/null
done < "$work/.databases"
rm "$work/.databases"
sync
mv "$work" "$dir/$id"
echo "complete: $dir/$id"
${days === undefined ? '' : `find "$dir" -mindepth 1 -maxdepth 1 -type d -name '20*Z' -mtime +${days} ! -name "$id" -exec rm -rf {} +\n`}`;
}
