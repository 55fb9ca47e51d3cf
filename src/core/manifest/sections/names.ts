import type { Findings } from '../findings.ts';
import type { Path } from '../path.ts';

/** PostgreSQL cuts identifiers beyond this many bytes, silently: two long names could become one. */
const maxIdentifierBytes = 63;

/** Roles that exist beside the manifest's: they run or repair the cluster. */
const protectedRoles: ReadonlyMap<string, string> = new Map([
  ['postgres', 'the superuser of the cluster'],
  ['standby', 'the replication role of the cluster'],
  ['admin', 'the administrators role of the format'],
  ['cron_admin', 'a role of the format for scheduled jobs'],
  ['public', 'the word for all roles in PostgreSQL'],
  ['none', 'a word of PostgreSQL'],
]);

const userName = /^[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*$/;
const databaseName = /^[A-Za-z_][A-Za-z0-9_-]*$/;
const schemaName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Names an application database cannot have. */
const reservedDatabases: ReadonlyMap<string, string> = new Map([
  ['postgres', 'it exists already, and pgherd and the pooler work in it'],
  ['template0', 'it is a template of PostgreSQL'],
  ['template1', 'it is the template of all databases'],
  ['pgbouncer', 'it is the console of the pooler: clients could not reach a database of that name'],
]);

/** Why a role of this name may not be made by the manifest; undefined when it may. */
export function whyProtected(role: string): string | undefined {
  if (role.startsWith('pg_')) return 'the prefix pg_ belongs to PostgreSQL';
  const reason = protectedRoles.get(role);
  return reason === undefined ? undefined : `it is ${reason}`;
}

/** `anchor` says whether the name is the key of a map entry or its value. */
export function checkUserName(
  name: string,
  path: Path,
  findings: Findings,
  anchor: 'key' | 'value' = 'key',
): void {
  if (!userName.test(name)) {
    findings.error(
      path,
      {
        code: 'wrong-name',
        message: `${JSON.stringify(name)} cannot be the name of a user`,
        hint: 'use lower-case letters, digits, `-` and `_` inside, and dots between words',
      },
      anchor,
    );
  }
  checkLength(name, path, findings, 'the name', anchor);
}

export function checkDatabaseName(name: string, path: Path, findings: Findings): void {
  const reserved = reservedDatabases.get(name);
  if (reserved !== undefined || name.startsWith('pg_')) {
    findings.error(
      path,
      {
        code: 'protected-name',
        message: `a database cannot be named ${name}: ${reserved ?? 'the prefix pg_ belongs to PostgreSQL'}`,
        hint: 'choose another name for the database',
      },
      'key',
    );
  } else if (!databaseName.test(name)) {
    findings.error(
      path,
      {
        code: 'wrong-name',
        message: `${JSON.stringify(name)} cannot be the name of a database`,
        hint: 'use letters, digits, `_` and `-`, a letter or `_` first',
      },
      'key',
    );
  }
  checkLength(name, path, findings);
}

export function checkSchemaName(
  name: string,
  path: Path,
  findings: Findings,
  anchor: 'key' | 'value' = 'key',
): void {
  if (!schemaName.test(name) || name.startsWith('pg_') || name === 'information_schema') {
    findings.error(
      path,
      {
        code: 'wrong-name',
        message: `${JSON.stringify(name)} cannot be the name of a schema`,
        hint: 'use letters, digits and `_`, a letter or `_` first, and not the prefix pg_',
      },
      anchor,
    );
  }
  checkLength(name, path, findings, 'the name', anchor);
}

/** Reports a name that PostgreSQL would cut. `what` names it when it is derived and not written anywhere. */
export function checkLength(
  name: string,
  path: Path,
  findings: Findings,
  what = 'the name',
  anchor: 'key' | 'value' = 'key',
): void {
  const bytes = new TextEncoder().encode(name).length;
  if (bytes <= maxIdentifierBytes) return;
  findings.error(
    path,
    {
      code: 'name-too-long',
      message: `${what} ${name.length > 80 ? `${name.slice(0, 77)}…` : name} has ${bytes} bytes`,
      hint: `PostgreSQL keeps ${maxIdentifierBytes} of them: shorten it`,
    },
    anchor,
  );
}
