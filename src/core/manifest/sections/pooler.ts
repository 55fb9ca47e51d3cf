import type { Findings } from '../findings.ts';
import type { SpecSource } from '../schemaSpec.ts';
import type { PoolerSpec, PreparedDatabaseSpec, UserSpec } from '../spec.ts';
import { checkSchemaName, checkUserName, whyProtected } from './names.ts';
import { preparedRoles } from './preparedDatabases.ts';
import { poolerDefaults, readResources } from './resources.ts';

/** PostgreSQL keeps this many connections for superusers unless told otherwise. */
const reservedConnections = 3;

/** The poolers. `connectionPooler` alone switches the one of the primary on; an explicit false always wins. */
export function readPooler(
  spec: SpecSource,
  users: UserSpec[],
  prepared: PreparedDatabaseSpec[],
  findings: Findings,
): PoolerSpec {
  const source = spec.connectionPooler;
  const path = ['spec', 'connectionPooler'];
  const pooler: PoolerSpec = {
    primary: spec.enableConnectionPooler ?? (source !== null && source !== undefined),
    standby: spec.enableReplicaConnectionPooler ?? false,
    instances: source?.numberOfInstances ?? 2,
    mode: source?.mode ?? 'transaction',
    schema: source?.schema ?? 'pooler',
    user: source?.user ?? 'pooler',
    maxDbConnections: source?.maxDBConnections ?? 60,
    resources: readResources(source?.resources, poolerDefaults, [...path, 'resources'], findings),
  };
  const reason = whyProtected(pooler.user);
  if (reason !== undefined) {
    findings.error([...path, 'user'], {
      code: 'protected-name',
      message: `the pooler cannot log in as ${pooler.user}: ${reason}`,
      hint: 'delete the line (the user is then `pooler`), or choose another name',
    });
  } else if (source?.user != null) {
    checkUserName(pooler.user, [...path, 'user'], findings, 'value');
  }
  if (source?.schema != null) checkSchemaName(pooler.schema, [...path, 'schema'], findings, 'value');
  if (pooler.maxDbConnections < pooler.instances) {
    findings.error([...path, source?.maxDBConnections == null ? 'numberOfInstances' : 'maxDBConnections'], {
      code: 'out-of-range',
      message: `${pooler.maxDbConnections} connections cannot be shared by ${pooler.instances} pooler processes`,
      hint: `set maxDBConnections to at least ${pooler.instances}, or lower numberOfInstances`,
    });
  }
  if (reason === undefined) checkUserIsOwn(pooler, users, prepared, findings);
  checkFits(spec, pooler, findings);
  return pooler;
}

/** The pooler's role is made and kept by pgherd: a second owner would change its password or its rights. */
function checkUserIsOwn(
  pooler: PoolerSpec,
  users: UserSpec[],
  prepared: PreparedDatabaseSpec[],
  findings: Findings,
): void {
  const finding = {
    code: 'protected-name',
    message: `the role ${pooler.user} is the one the pooler logs in with`,
    hint: 'rename it, or give the pooler another one with connectionPooler.user',
  };
  const secret = pooler.user.replaceAll('_', '-');
  for (const user of users) {
    if (user.name.replaceAll('_', '-') === secret)
      findings.error(['spec', 'users', user.name], finding, 'key');
  }
  for (const role of prepared.flatMap(preparedRoles)) {
    if (role.name === pooler.user) findings.error(role.path, finding, 'key');
  }
}

function checkFits(spec: SpecSource, pooler: PoolerSpec, findings: Findings): void {
  const written = Object.entries(spec.postgresql.parameters ?? {}).find(
    ([name]) => name.toLowerCase() === 'max_connections',
  );
  if (written === undefined || !(pooler.primary || pooler.standby) || !/^\d{1,6}$/.test(written[1])) return;
  const free = Number(written[1]) - reservedConnections;
  if (free >= pooler.maxDbConnections) return;
  findings.warn(['spec', 'postgresql', 'parameters', written[0]], {
    code: 'too-few-connections',
    message: `the pooler may open ${pooler.maxDbConnections} connections per database, and max_connections leaves ${free}`,
    hint: `raise max_connections to at least ${pooler.maxDbConnections + reservedConnections}, or lower connectionPooler.maxDBConnections`,
  });
}
