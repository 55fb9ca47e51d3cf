import type { ClusterSpec, PreparedDatabaseSpec, RoleFlag } from '../manifest/spec.ts';
import type { CatalogObservation, DatabaseObservation } from '../topology/observation.ts';
import type { CatalogChange, PreparedPrivileges } from './action.ts';
import { type DesiredRole, desiredRoles, preparedOwner, schemaPrefix } from './catalogRoles.ts';

export { desiredUsers } from './catalogRoles.ts';

/** What a cluster holds before anything was made in it. */
export const emptyCatalog: CatalogObservation = {
  roles: { postgres: { flags: [], memberOf: [] }, standby: { flags: [], memberOf: [] } },
  databases: { postgres: { owner: 'postgres', schemas: {}, extensions: {}, poolerLookup: false } },
  restartParameters: [],
};

/**
 * What has to be made or altered in the catalogs, in an order in which it can be done: roles after those they
 * refer to, databases after their owners. By the format's rules nothing is ever dropped, and no membership taken
 * away. Empty when the catalogs are as the manifest asks.
 */
export function catalogChanges(spec: ClusterSpec, catalog: CatalogObservation): CatalogChange[] {
  const changes: CatalogChange[] = [];
  for (const role of desiredRoles(spec)) {
    if (roleDiffers(role, catalog))
      changes.push({ kind: 'role', ...role, exists: role.user.name in catalog.roles });
  }
  const prepared = spec.preparedDatabases.map(database => ({
    name: database.name,
    owner: preparedOwner(database),
  }));
  const databases = [...spec.databases, ...prepared];
  for (const database of databases) {
    const existing = catalog.databases[database.name];
    if (existing?.owner !== database.owner) {
      changes.push({ kind: 'database', database, exists: existing !== undefined });
    }
  }
  for (const database of spec.preparedDatabases) {
    const change = preparedChange(database, catalog.databases[database.name]);
    if (change !== undefined) changes.push(change);
  }
  if (spec.pooler.primary || spec.pooler.standby) {
    const names = new Set([...Object.keys(catalog.databases), ...databases.map(database => database.name)]);
    for (const name of [...names].sort()) {
      if (catalog.databases[name]?.poolerLookup !== true)
        changes.push({ kind: 'pooler-lookup', database: name });
    }
  }
  return changes;
}

/** The flags of an existing role that have to change, with their value to come. */
export function flagChanges(
  role: DesiredRole,
  catalog: CatalogObservation,
): { flag: RoleFlag; to: boolean }[] {
  const have = new Set(catalog.roles[role.user.name]?.flags.map(flag => flag.toLowerCase()));
  return (Object.entries(role.user.flags) as [RoleFlag, boolean][])
    .filter(([flag, wanted]) => have.has(flag) !== wanted)
    .map(([flag, to]) => ({ flag, to }));
}

function roleDiffers(role: DesiredRole, catalog: CatalogObservation): boolean {
  const existing = catalog.roles[role.user.name];
  if (existing === undefined || flagChanges(role, catalog).length > 0) return true;
  return (
    role.memberOf.some(parent => !existing.memberOf.includes(parent)) ||
    role.admins.some(above => catalog.roles[above]?.memberOf.includes(role.user.name) !== true)
  );
}

function preparedChange(
  database: PreparedDatabaseSpec,
  existing: DatabaseObservation | undefined,
): CatalogChange | undefined {
  const schemas = database.schemas
    .map(schema => ({ name: schema.name, owner: `${schemaPrefix(database, schema)}_owner` }))
    .filter(schema => existing?.schemas[schema.name]?.owner !== schema.owner)
    .map(schema => ({ ...schema, exists: existing?.schemas[schema.name] !== undefined }));
  // The manifest has warned of a schema that nobody makes; creating an extension in it can only fail.
  const reachable = new Set(['public', 'pg_catalog', ...database.schemas.map(schema => schema.name)]);
  const extensions = Object.entries(database.extensions)
    .filter(([name, schema]) => existing?.extensions[name] !== schema)
    .filter(([, schema]) => reachable.has(schema) || existing?.schemas[schema] !== undefined)
    .map(([name, schema]) => ({ name, schema, exists: existing?.extensions[name] !== undefined }));
  const fresh = new Set(schemas.filter(schema => !schema.exists).map(schema => schema.name));
  const privileges = privilegesOf(database).filter(rule => !granted(rule, existing, fresh));
  if (schemas.length + extensions.length + privileges.length === 0) return undefined;
  return { kind: 'prepared-database', database, schemas, extensions, privileges };
}

/**
 * Readers and writers of the database see into every schema, those of a schema into theirs, whichever owner made
 * an object, and whether under the owner's own name or as its login user.
 */
function privilegesOf(database: PreparedDatabaseSpec): PreparedPrivileges[] {
  const owners = (prefix: string, users: boolean) => [
    `${prefix}_owner`,
    ...(users ? [`${prefix}_owner_user`] : []),
  ];
  const rule = (creator: string, schema: string | undefined, prefix: string): PreparedPrivileges => ({
    creator,
    schema,
    reader: `${prefix}_reader`,
    writer: `${prefix}_writer`,
  });
  const databaseOwners = owners(database.name, database.defaultUsers);
  const rules = databaseOwners.map(creator => rule(creator, undefined, database.name));
  for (const schema of database.schemas) {
    const prefix = schemaPrefix(database, schema);
    const own = schema.defaultRoles ? owners(prefix, schema.defaultUsers) : [];
    const prefixes = schema.defaultRoles ? [database.name, prefix] : [database.name];
    for (const creator of [...databaseOwners, ...own]) {
      rules.push(...prefixes.map(readers => rule(creator, schema.name, readers)));
    }
  }
  return rules;
}

function granted(
  { creator, schema, reader, writer }: PreparedPrivileges,
  existing: DatabaseObservation | undefined,
  freshSchemas: ReadonlySet<string>,
): boolean {
  if (existing === undefined || (schema !== undefined && freshSchemas.has(schema))) return false;
  // Not read: nothing can be said, and a plan must not repeat itself for ever.
  if (existing.defaultPrivileges === undefined) return true;
  return [reader, writer].every(grantee =>
    existing.defaultPrivileges?.some(
      entry => entry.creator === creator && entry.schema === schema && entry.grantee === grantee,
    ),
  );
}
