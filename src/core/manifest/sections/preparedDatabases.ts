import type { Findings } from '../findings.ts';
import type { Path } from '../path.ts';
import type { ManifestSource } from '../schema.ts';
import type { PreparedDatabaseSpec } from '../spec.ts';
import { checkDatabaseName, checkSchemaName } from './names.ts';

const path: Path = ['spec', 'preparedDatabases'];

/** A role that a prepared database brings, and the manifest's place that is responsible for it. */
export interface PreparedRole {
  name: string;
  login: boolean;
  path: Path;
}

/** Databases with schemas and roles; `{}` is one named like the cluster, no schemas is one schema `data`. */
export function readPreparedDatabases(source: ManifestSource, findings: Findings): PreparedDatabaseSpec[] {
  const section = source.spec.preparedDatabases;
  if (section === null || section === undefined) return [];
  const entries = Object.entries(section);
  if (entries.length === 0) {
    return [
      {
        name: source.metadata.name.replaceAll('-', '_'),
        defaultUsers: false,
        extensions: {},
        schemas: [defaultSchema()],
      },
    ];
  }
  return entries.map(([name, database]) => {
    const at = [...path, name];
    checkDatabaseName(name, at, findings);
    const schemas = Object.entries(database?.schemas ?? {}).map(([schema, settings]) => {
      const schemaPath = [...at, 'schemas', schema];
      checkSchemaName(schema, schemaPath, findings);
      const defaultRoles = settings?.defaultRoles ?? true;
      if (!defaultRoles && settings?.defaultUsers === true) {
        findings.warn([...schemaPath, 'defaultUsers'], {
          code: 'no-effect',
          message: `schema ${schema} has no default roles, so it gets no default users`,
          hint: 'set defaultRoles to true as well, or delete this line',
        });
      }
      return { name: schema, defaultRoles, defaultUsers: defaultRoles && (settings?.defaultUsers ?? false) };
    });
    if (schemas.length === 0) schemas.push(defaultSchema());
    const extensions = database?.extensions ?? {};
    checkExtensions(
      extensions,
      schemas.map(schema => schema.name),
      [...at, 'extensions'],
      findings,
    );
    return { name, defaultUsers: database?.defaultUsers ?? false, extensions, schemas };
  });
}

/**
 * The roles of a prepared database by the format's contract: `<db>_owner`, `_reader`, `_writer`, the same for
 * `<db>_<schema>`, and with `_user` appended their login users.
 */
export function preparedRoles(database: PreparedDatabaseSpec): PreparedRole[] {
  const at = [...path, database.name];
  const group = (prefix: string, users: boolean, where: Path): PreparedRole[] =>
    ['owner', 'reader', 'writer'].flatMap(kind => [
      { name: `${prefix}_${kind}`, login: false, path: where },
      ...(users ? [{ name: `${prefix}_${kind}_user`, login: true, path: where }] : []),
    ]);
  return [
    ...group(database.name, database.defaultUsers, at),
    ...database.schemas
      .filter(schema => schema.defaultRoles)
      .flatMap(schema =>
        group(`${database.name}_${schema.name}`, schema.defaultUsers, [...at, 'schemas', schema.name]),
      ),
  ];
}

function defaultSchema() {
  return { name: 'data', defaultRoles: true, defaultUsers: false };
}

function checkExtensions(
  extensions: Record<string, string>,
  schemas: string[],
  at: Path,
  findings: Findings,
): void {
  for (const [extension, schema] of Object.entries(extensions)) {
    if (!/^[A-Za-z_][A-Za-z0-9_-]{0,62}$/.test(extension)) {
      findings.error(
        [...at, extension],
        {
          code: 'wrong-name',
          message: `${JSON.stringify(extension)} cannot be the name of an extension`,
          hint: 'write the name as in CREATE EXTENSION: pg_trgm, uuid-ossp',
        },
        'key',
      );
    }
    if (schema === 'public' || schema === 'pg_catalog' || schemas.includes(schema)) continue;
    checkSchemaName(schema, [...at, extension], findings, 'value');
    if (findings.hasErrorWithin([...at, extension])) continue;
    findings.warn([...at, extension], {
      code: 'unknown-schema',
      message: `the schema ${schema} for extension ${extension} is not among the schemas of this database`,
      hint: `list it below schemas, or use one of ${['public', ...schemas].join(', ')}: without it the extension cannot be created`,
    });
  }
}
