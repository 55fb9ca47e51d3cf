import type { Findings } from '../findings.ts';
import type { Path } from '../path.ts';
import type { SpecSource } from '../schemaSpec.ts';
import type { DatabaseSpec, PreparedDatabaseSpec, UserSpec } from '../spec.ts';
import { closest } from '../suggest.ts';
import { checkDatabaseName, checkLength } from './names.ts';
import { preparedRoles } from './preparedDatabases.ts';

/** Plain databases. Upstream skips one whose owner it does not know, silently: here that is an error. */
export function readDatabases(
  spec: SpecSource,
  users: UserSpec[],
  prepared: PreparedDatabaseSpec[],
  findings: Findings,
): DatabaseSpec[] {
  const roles = new Set([
    'postgres',
    ...users.map(user => user.name),
    ...prepared.flatMap(database => preparedRoles(database).map(role => role.name)),
  ]);
  const preparedNames = new Set(prepared.map(database => database.name));
  // Roles that could not be read are unknown for that reason only, and that has been said.
  const rolesKnown =
    !findings.hasErrorAt(['spec', 'users']) && !findings.hasErrorWithin(['spec', 'preparedDatabases']);
  return Object.entries(spec.databases ?? {}).map(([name, owner]) => {
    const path = ['spec', 'databases', name];
    checkDatabaseName(name, path, findings);
    if (preparedNames.has(name)) {
      findings.error(
        path,
        {
          code: 'duplicate-name',
          message: `the database ${name} stands in databases and in preparedDatabases`,
          hint: 'delete one of the two: they would give it different owners',
        },
        'key',
      );
    }
    if (rolesKnown && !roles.has(owner)) reportOwner(name, owner, roles, path, findings);
    return { name, owner };
  });
}

function reportOwner(name: string, owner: string, roles: Set<string>, path: Path, findings: Findings): void {
  const near = closest(owner, roles);
  findings.error(path, {
    code: 'unknown-owner',
    message: `the owner ${JSON.stringify(owner)} of database ${name} is no user of this manifest`,
    hint:
      near === undefined
        ? `add \`${owner}: []\` below users, or name another owner`
        : `did you mean ${near}? Otherwise add \`${owner}: []\` below users`,
  });
}

/**
 * Roles come from users, prepared databases and the pooler: no two may share a name, nor the name of their
 * Secret, where `_` becomes `-`.
 */
export function checkRolesApart(
  users: UserSpec[],
  prepared: PreparedDatabaseSpec[],
  findings: Findings,
): void {
  const byName = new Map<string, string>();
  const bySecret = new Map<string, string>();
  const add = (name: string, login: boolean, path: Path, owner: string): void => {
    // One prepared database brings many roles: the first that clashes says enough.
    if (findings.hasErrorAt(path)) return;
    const twin = byName.get(name);
    const secret = name.replaceAll('_', '-');
    const secretTwin = bySecret.get(secret);
    if (twin !== undefined) {
      findings.error(
        path,
        {
          code: 'duplicate-name',
          message: `the role ${name} would come from ${twin} and from ${owner}`,
          hint: 'rename one of the two',
        },
        'key',
      );
    } else if (login && secretTwin !== undefined) {
      findings.error(
        path,
        {
          code: 'duplicate-name',
          message: `the users ${name} and ${secretTwin} would share one Secret, where \`_\` becomes \`-\``,
          hint: 'rename one of the two',
        },
        'key',
      );
    }
    byName.set(name, owner);
    if (login) bySecret.set(secret, name);
  };
  for (const user of users) add(user.name, true, ['spec', 'users', user.name], 'users');
  for (const database of prepared) {
    for (const role of preparedRoles(database)) {
      checkLength(role.name, role.path, findings, 'its role');
      add(role.name, role.login, role.path, `preparedDatabases.${database.name}`);
    }
  }
}
