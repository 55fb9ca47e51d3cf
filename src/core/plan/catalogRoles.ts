import type { ClusterSpec, PreparedDatabaseSpec, RoleFlag, UserSpec } from '../manifest/spec.ts';

/** A role that should exist, with its place in the graph of memberships. */
export interface DesiredRole {
  user: UserSpec;
  memberOf: string[];
  /** Roles that become members of it with ADMIN OPTION. */
  admins: string[];
  /** undefined: the role keeps what it has. */
  searchPath: string[] | undefined;
}

const plain: Record<RoleFlag, boolean> = {
  superuser: false,
  inherit: true,
  login: false,
  createrole: false,
  createdb: false,
  replication: false,
  bypassrls: false,
};

/** The format's administrators role: it may grant every role of the manifest. */
const admin = 'admin';

/**
 * Every role pgherd makes, each after the roles it refers to. `postgres` and `standby` are Patroni's and not
 * among them.
 */
export function desiredRoles(spec: ClusterSpec): DesiredRole[] {
  return [
    role(admin, { createdb: true }, [], []),
    ...spec.users.map(user => ({
      user,
      memberOf: [],
      // Whoever administers a superuser's role is a superuser: that is not given away unasked.
      admins: user.flags.superuser ? [] : [admin],
      searchPath: undefined,
    })),
    ...spec.preparedDatabases.flatMap(rolesOfPrepared),
    ...(spec.pooler.primary || spec.pooler.standby ? [role(spec.pooler.user, { login: true }, [], [])] : []),
  ];
}

/** Users that log in with a generated password, without repetition. */
export function desiredUsers(spec: ClusterSpec): string[] {
  const logins = desiredRoles(spec).filter(({ user }) => user.flags.login);
  return [...new Set(['postgres', 'standby', ...logins.map(({ user }) => user.name)])];
}

export function preparedOwner(database: PreparedDatabaseSpec): string {
  return `${database.name}_owner`;
}

/** The prefix of the roles that own, read and write a schema: its own, or the database's. */
export function schemaPrefix(
  database: PreparedDatabaseSpec,
  schema: { name: string; defaultRoles: boolean },
): string {
  return schema.defaultRoles ? `${database.name}_${schema.name}` : database.name;
}

function rolesOfPrepared(database: PreparedDatabaseSpec): DesiredRole[] {
  const schemas = database.schemas.map(schema => schema.name);
  return [
    ...group(database.name, admin, database.defaultUsers, ['$user', ...schemas]),
    ...database.schemas
      .filter(schema => schema.defaultRoles)
      .flatMap(schema =>
        group(schemaPrefix(database, schema), preparedOwner(database), schema.defaultUsers, [
          '$user',
          schema.name,
        ]),
      ),
  ];
}

/** Owner, reader and writer below a prefix, and their login users: the table of the format's user guide. */
function group(prefix: string, above: string, users: boolean, searchPath: string[]): DesiredRole[] {
  const owner = `${prefix}_owner`;
  const reader = `${prefix}_reader`;
  const writer = `${prefix}_writer`;
  const roles = [
    role(owner, {}, [], [above], searchPath),
    role(reader, {}, [], [owner], searchPath),
    role(writer, {}, [reader], [owner], searchPath),
  ];
  if (!users) return roles;
  return [
    ...roles,
    role(`${owner}_user`, { login: true }, [owner], [above], searchPath),
    role(`${reader}_user`, { login: true }, [reader], [owner], searchPath),
    role(`${writer}_user`, { login: true }, [writer], [owner], searchPath),
  ];
}

function role(
  name: string,
  flags: Partial<Record<RoleFlag, boolean>>,
  memberOf: string[],
  admins: string[],
  searchPath?: string[],
): DesiredRole {
  return { user: { name, flags: { ...plain, ...flags } }, memberOf, admins, searchPath };
}
