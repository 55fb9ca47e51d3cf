import type { Findings } from './findings.ts';
import type { ManifestSource } from './schema.ts';
import { readBackup } from './sections/backup.ts';
import { checkRolesApart, readDatabases } from './sections/databases.ts';
import { readExposed, readSourceRanges } from './sections/exposure.ts';
import { readKubernetes } from './sections/kubernetes.ts';
import { readMaintenanceWindows } from './sections/maintenanceWindows.ts';
import { readMetadata } from './sections/metadata.ts';
import { readParameters } from './sections/parameters.ts';
import { readPatroni } from './sections/patroni.ts';
import { readPooler } from './sections/pooler.ts';
import { readPreparedDatabases } from './sections/preparedDatabases.ts';
import { instanceDefaults, readQuantity, readResources } from './sections/resources.ts';
import { checkSources } from './sections/sources.ts';
import { readUsers } from './sections/users.ts';
import type { ClusterSpec } from './spec.ts';

/** A sane manifest stays far below; a slip of the keyboard must not start a thousand servers. */
const maxInstances = 100;

/**
 * Judges what the values mean and fills in every default, in one pass. The result is to be used only when
 * `findings` holds no error.
 */
export function resolve(source: ManifestSource, findings: Findings): ClusterSpec {
  const { spec } = source;
  if (spec.numberOfInstances > maxInstances) {
    findings.error(['spec', 'numberOfInstances'], {
      code: 'out-of-range',
      message: `numberOfInstances is ${spec.numberOfInstances}`,
      hint: `write ${maxInstances} or less; three are usual`,
    });
  }
  const metadata = readMetadata(source, findings);
  const users = readUsers(spec, findings);
  const preparedDatabases = readPreparedDatabases(source, findings);
  const databases = readDatabases(spec, users, preparedDatabases, findings);
  checkRolesApart(users, preparedDatabases, findings);
  checkSources(spec, findings);
  return {
    ...metadata,
    version: spec.postgresql.version,
    instances: spec.numberOfInstances,
    parameters: readParameters(spec, findings),
    volume: {
      sizeBytes: readQuantity(spec.volume.size, 'storage', ['spec', 'volume', 'size'], findings) ?? 0,
    },
    resources: readResources(spec.resources, instanceDefaults, ['spec', 'resources'], findings),
    users,
    databases,
    preparedDatabases,
    patroni: readPatroni(source, findings),
    pooler: readPooler(spec, users, preparedDatabases, findings),
    exposed: readExposed(spec, findings),
    allowedSourceRanges: readSourceRanges(spec, findings),
    maintenanceWindows: readMaintenanceWindows(spec, findings),
    backup: readBackup(spec, findings),
    kubernetes: readKubernetes(spec, findings),
  };
}
