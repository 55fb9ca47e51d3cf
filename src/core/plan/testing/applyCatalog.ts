import type { CatalogObservation, DatabaseObservation } from '../../topology/observation.ts';
import type { CatalogChange } from '../action.ts';

function need(condition: boolean, what: string): void {
  if (!condition) throw new Error(`PostgreSQL would refuse: ${what}`);
}

/** The catalogs after a change. Throws where PostgreSQL would refuse it. */
export function applyChange(change: CatalogChange, before: CatalogObservation): CatalogObservation {
  const catalog = structuredClone(before);
  switch (change.kind) {
    case 'role':
      changeRole(change, catalog);
      break;
    case 'database': {
      const { name, owner } = change.database;
      need(owner in catalog.roles, `no role ${owner}`);
      need(name in catalog.databases === change.exists, `database ${name} exists: ${!change.exists}`);
      const empty: DatabaseObservation = {
        owner,
        schemas: {},
        extensions: {},
        defaultPrivileges: [],
        poolerLookup: false,
      };
      catalog.databases[name] = { ...(catalog.databases[name] ?? empty), owner };
      break;
    }
    case 'prepared-database':
      prepare(change, catalog);
      break;
    case 'pooler-lookup': {
      const database = catalog.databases[change.database];
      need(database !== undefined, `no database ${change.database}`);
      if (database !== undefined) database.poolerLookup = true;
    }
  }
  return catalog;
}

function changeRole(change: Extract<CatalogChange, { kind: 'role' }>, catalog: CatalogObservation): void {
  const { name, flags } = change.user;
  need(name in catalog.roles === change.exists, `role ${name} exists: ${!change.exists}`);
  const memberOf = new Set([...(catalog.roles[name]?.memberOf ?? []), ...change.memberOf]);
  for (const parent of memberOf) need(parent in catalog.roles, `no role ${parent}`);
  const set = Object.entries(flags).filter(([, value]) => value);
  catalog.roles[name] = { flags: set.map(([flag]) => flag), memberOf: [...memberOf] };
  for (const admin of change.admins) {
    const role = catalog.roles[admin];
    need(role !== undefined, `no role ${admin}`);
    if (role !== undefined && !role.memberOf.includes(name)) role.memberOf.push(name);
  }
}

function prepare(
  change: Extract<CatalogChange, { kind: 'prepared-database' }>,
  catalog: CatalogObservation,
): void {
  const database = catalog.databases[change.database.name];
  if (database === undefined) throw new Error(`PostgreSQL would refuse: no database ${change.database.name}`);
  for (const { name, owner, exists } of change.schemas) {
    need(owner in catalog.roles, `no role ${owner}`);
    need(name in database.schemas === exists, `schema ${name} exists: ${!exists}`);
    database.schemas[name] = { owner };
  }
  for (const { name, schema } of change.extensions) {
    need(['public', 'pg_catalog'].includes(schema) || schema in database.schemas, `no schema ${schema}`);
    database.extensions[name] = schema;
  }
  for (const { creator, schema, reader, writer } of change.privileges) {
    for (const role of [creator, reader, writer]) need(role in catalog.roles, `no role ${role}`);
    need(schema === undefined || schema in database.schemas, `no schema ${schema}`);
    database.defaultPrivileges ??= [];
    database.defaultPrivileges.push(
      { creator, schema, grantee: reader },
      { creator, schema, grantee: writer },
    );
  }
}
