/** Roles, databases and what is in them: reading them, and the statements that bring them to what is wanted. */
import type { RoleFlag, UserSpec } from '../../core/manifest/spec.ts';
import type { CatalogChange, PreparedPrivileges } from '../../core/plan/action.ts';
import type { CatalogObservation, DatabaseObservation } from '../../core/topology/observation.ts';
import { identifier, literal, type SqlSession } from './connection.ts';
import { scramVerifier } from './scram.ts';

/** Opens a session of the superuser on the primary. */
export type Connect = (database: string) => Promise<SqlSession>;

const FLAG_COLUMNS: Record<RoleFlag, string> = {
  superuser: 'rolsuper',
  inherit: 'rolinherit',
  login: 'rolcanlogin',
  createrole: 'rolcreaterole',
  createdb: 'rolcreatedb',
  replication: 'rolreplication',
  bypassrls: 'rolbypassrls',
};

/** Reads everything the plan compares; one session for each database. */
export async function readCatalog(
  connect: Connect,
  lookup: { schema: string; user: string },
): Promise<CatalogObservation> {
  await using session = await connect('postgres');
  const flags = Object.entries(FLAG_COLUMNS).map(
    ([flag, column]) => `CASE WHEN ${column} THEN '${flag}' END`,
  );
  const roles = await session.query(
    `SELECT r.rolname AS name, array_remove(ARRAY[${flags.join(', ')}], NULL) AS flags,
            ARRAY(SELECT g.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
                  WHERE m.member = r.oid ORDER BY 1) AS member_of
     FROM pg_roles r WHERE r.rolname NOT LIKE 'pg\\_%'`,
  );
  const databases = await session.query(
    `SELECT datname AS name, pg_get_userbyid(datdba) AS owner FROM pg_database
     WHERE datallowconn AND NOT datistemplate ORDER BY 1`,
  );
  const restart = await session.query(`SELECT name FROM pg_settings WHERE context = 'postmaster'`);
  const inside = await Promise.all(
    databases.map(async row => {
      const name = String(row.name);
      await using own = await connect(name);
      return [name, await readDatabase(own, String(row.owner), lookup)] as const;
    }),
  );
  return {
    roles: Object.fromEntries(
      roles.map(row => [
        String(row.name),
        { flags: row.flags as string[], memberOf: row.member_of as string[] },
      ]),
    ),
    databases: Object.fromEntries(inside),
    restartParameters: restart.map(row => String(row.name)),
  };
}

async function readDatabase(
  session: SqlSession,
  owner: string,
  lookup: { schema: string; user: string },
): Promise<DatabaseObservation> {
  const [row] = await session.query(
    `SELECT
       (SELECT coalesce(json_object_agg(nspname, json_build_object('owner', pg_get_userbyid(nspowner))), '{}')
        FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema') AS schemas,
       (SELECT coalesce(json_object_agg(extname, nspname), '{}')
        FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace) AS extensions,
       (SELECT coalesce(json_agg(DISTINCT jsonb_build_object('creator', pg_get_userbyid(d.defaclrole),
                 'grantee', pg_get_userbyid(a.grantee), 'schema', n.nspname)), '[]')
        FROM pg_default_acl d CROSS JOIN LATERAL aclexplode(d.defaclacl) a
        LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
        WHERE a.grantee <> 0 AND a.grantee <> d.defaclrole) AS privileges,
       EXISTS (SELECT FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
               JOIN pg_roles r ON r.rolname = $2
               WHERE n.nspname = $1 AND p.proname = 'user_lookup'
                 AND has_schema_privilege(r.oid, n.oid, 'USAGE')
                 AND has_function_privilege(r.oid, p.oid, 'EXECUTE')) AS lookup`,
    [lookup.schema, lookup.user],
  );
  const privileges = (row?.privileges ?? []) as { creator: string; grantee: string; schema: string | null }[];
  return {
    owner,
    schemas: (row?.schemas ?? {}) as DatabaseObservation['schemas'],
    extensions: (row?.extensions ?? {}) as DatabaseObservation['extensions'],
    defaultPrivileges: privileges.map(item => ({ ...item, schema: item.schema ?? undefined })),
    poolerLookup: row?.lookup === true,
  };
}

export interface ChangeContext {
  connect: Connect;
  /** The generated password of a login role. */
  password(user: string): Promise<string>;
  lookup: { schema: string; user: string };
}

/** Carries out one change. Statements do not wait for a standby: they are repeated should they get lost. */
export async function changeCatalog(change: CatalogChange, context: ChangeContext): Promise<void> {
  const database =
    change.kind === 'prepared-database'
      ? change.database.name
      : change.kind === 'pooler-lookup'
        ? change.database
        : 'postgres';
  await using session = await context.connect(database);
  await session.query('SET synchronous_commit = local');
  for (const statement of await statements(change, context)) await session.query(statement);
}

async function statements(change: CatalogChange, context: ChangeContext): Promise<string[]> {
  switch (change.kind) {
    case 'role':
      return [
        await roleStatement(change.user, change.exists, context),
        ...change.memberOf.map(group => `GRANT ${identifier(group)} TO ${identifier(change.user.name)}`),
        ...change.admins.map(
          admin => `GRANT ${identifier(change.user.name)} TO ${identifier(admin)} WITH ADMIN OPTION`,
        ),
        ...(change.searchPath === undefined
          ? []
          : [
              `ALTER ROLE ${identifier(change.user.name)} SET search_path TO ${change.searchPath.map(identifier).join(', ')}`,
            ]),
      ];
    case 'database': {
      const { name, owner } = change.database;
      return [
        change.exists
          ? `ALTER DATABASE ${identifier(name)} OWNER TO ${identifier(owner)}`
          : `CREATE DATABASE ${identifier(name)} OWNER ${identifier(owner)}`,
      ];
    }
    case 'prepared-database':
      return [
        ...change.schemas.map(schema =>
          schema.exists
            ? `ALTER SCHEMA ${identifier(schema.name)} OWNER TO ${identifier(schema.owner)}`
            : `CREATE SCHEMA IF NOT EXISTS ${identifier(schema.name)} AUTHORIZATION ${identifier(schema.owner)}`,
        ),
        ...change.extensions.map(extension =>
          extension.exists
            ? `ALTER EXTENSION ${identifier(extension.name)} SET SCHEMA ${identifier(extension.schema)}`
            : `CREATE EXTENSION IF NOT EXISTS ${identifier(extension.name)} SCHEMA ${identifier(extension.schema)}`,
        ),
        ...change.privileges.flatMap(privilegeStatements),
      ];
    case 'pooler-lookup':
      return lookupStatements(context.lookup);
  }
}

async function roleStatement(user: UserSpec, exists: boolean, context: ChangeContext): Promise<string> {
  const flags = Object.entries(user.flags).map(([flag, on]) => `${on ? '' : 'NO'}${flag.toUpperCase()}`);
  const name = identifier(user.name);
  if (exists) return `ALTER ROLE ${name} WITH ${flags.join(' ')}`;
  const password = user.flags.login
    ? ` PASSWORD ${literal(scramVerifier(await context.password(user.name)))}`
    : '';
  return `CREATE ROLE ${name} WITH ${flags.join(' ')}${password}`;
}

/** Rights on what `creator` will make. USAGE on the schema itself where one is named. */
function privilegeStatements({ creator, schema, reader, writer }: PreparedPrivileges): string[] {
  const where = schema === undefined ? '' : ` IN SCHEMA ${identifier(schema)}`;
  const grant = (rights: string, kind: string, to: string) =>
    `ALTER DEFAULT PRIVILEGES FOR ROLE ${identifier(creator)}${where} GRANT ${rights} ON ${kind} TO ${identifier(to)}`;
  const both = `${identifier(reader)}, ${identifier(writer)}`;
  return [
    ...(schema === undefined
      ? [`ALTER DEFAULT PRIVILEGES FOR ROLE ${identifier(creator)} GRANT USAGE ON SCHEMAS TO ${both}`]
      : [`GRANT USAGE ON SCHEMA ${identifier(schema)} TO ${both}`]),
    grant('SELECT', 'TABLES', reader),
    grant('SELECT', 'SEQUENCES', reader),
    grant('INSERT, UPDATE, DELETE', 'TABLES', writer),
    grant('USAGE, UPDATE', 'SEQUENCES', writer),
    ...[reader, writer].flatMap(role => [grant('EXECUTE', 'FUNCTIONS', role), grant('USAGE', 'TYPES', role)]),
  ];
}

/** What PgBouncer asks to authenticate a user: only its own role may call it, and it never tells of superusers. */
function lookupStatements({ schema, user }: { schema: string; user: string }): string[] {
  const name = `${identifier(schema)}.user_lookup`;
  return [
    `CREATE SCHEMA IF NOT EXISTS ${identifier(schema)}`,
    `CREATE OR REPLACE FUNCTION ${name}(IN i_username text, OUT uname text, OUT phash text) RETURNS record
     LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS
     'SELECT rolname::text, rolpassword FROM pg_catalog.pg_authid
      WHERE rolname = i_username AND rolcanlogin AND NOT rolsuper AND NOT rolreplication
        AND (rolvaliduntil IS NULL OR rolvaliduntil > now())'`,
    `REVOKE ALL ON SCHEMA ${identifier(schema)} FROM public`,
    `REVOKE ALL ON FUNCTION ${name}(text) FROM public`,
    `GRANT USAGE ON SCHEMA ${identifier(schema)} TO ${identifier(user)}`,
    `GRANT EXECUTE ON FUNCTION ${name}(text) TO ${identifier(user)}`,
  ];
}

/** Verifiers of all roles that may log in, by name; undefined: the role has no password. */
export async function readVerifiers(session: SqlSession): Promise<Map<string, string | undefined>> {
  const rows = await session.query('SELECT rolname, rolpassword FROM pg_authid WHERE rolcanlogin');
  return new Map(
    rows.map(row => [String(row.rolname), typeof row.rolpassword === 'string' ? row.rolpassword : undefined]),
  );
}

/** Gives a role its password; only the verifier reaches the server. */
export async function setPassword(session: SqlSession, role: string, password: string): Promise<void> {
  await session.query('SET synchronous_commit = local');
  await session.query(`ALTER ROLE ${identifier(role)} PASSWORD ${literal(scramVerifier(password))}`);
}
