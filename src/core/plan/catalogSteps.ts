import type { CatalogObservation } from '../topology/observation.ts';
import type { CatalogChange, Step } from './action.ts';
import { catalogChanges, emptyCatalog, flagChanges } from './catalog.ts';
import { type Situation, synchronousShortfall, whyOnlyStarts } from './situation.ts';

/** Roles, databases and lookups to be made or altered; for a cluster to be created, all of them. */
export function planCatalog(situation: Situation): Step[] {
  const { observed, spec } = situation;
  const catalog = observed.exists ? observed.catalog : emptyCatalog;
  if (catalog === undefined) return [];
  // In strict mode a commit without a synchronous standby would hang.
  const strict = spec.patroni.synchronousMode === 'strict' ? synchronousShortfall(situation) : undefined;
  const blockedBy = whyOnlyStarts(situation) ?? strict;
  return catalogChanges(spec, catalog).map(change => ({
    action: { kind: 'change-catalog', change },
    ...describe(change, catalog),
    impact: 'none',
    blockedBy,
  }));
}

function describe(change: CatalogChange, catalog: CatalogObservation): { summary: string; reason: string } {
  switch (change.kind) {
    case 'role':
      return describeRole(change, catalog);
    case 'database': {
      const { name, owner } = change.database;
      if (!change.exists) {
        return { summary: `create database ${name} owned by ${owner}`, reason: 'the manifest asks for it' };
      }
      const reason = `the manifest names another owner than ${catalog.databases[name]?.owner}`;
      return { summary: `give database ${name} to ${owner}`, reason };
    }
    case 'prepared-database':
      return {
        summary: `complete database ${change.database.name}: ${missingIn(change)}`,
        reason: 'the manifest asks for it',
      };
    case 'pooler-lookup':
      return {
        summary: `install the pooler's user lookup in database ${change.database}`,
        reason: 'the pooler verifies passwords through it',
      };
  }
}

function describeRole(
  change: Extract<CatalogChange, { kind: 'role' }>,
  catalog: CatalogObservation,
): { summary: string; reason: string } {
  const { name, flags } = change.user;
  if (!change.exists) {
    return {
      summary: `create role ${name} (${flags.login ? 'may log in' : 'cannot log in'})`,
      reason: 'the manifest asks for it',
    };
  }
  const altered = flagChanges(change, catalog).map(({ flag, to }) => (to ? flag : `no${flag}`));
  const memberOf = catalog.roles[name]?.memberOf ?? [];
  const grants = [
    ...change.memberOf.filter(parent => !memberOf.includes(parent)).map(parent => `member of ${parent}`),
    ...change.admins
      .filter(above => catalog.roles[above]?.memberOf.includes(name) !== true)
      .map(above => `administered by ${above}`),
  ];
  return {
    summary: `change role ${name}: ${[...altered, ...grants].join(', ')}`,
    reason: altered.length > 0 ? 'its flags differ from the manifest' : 'a membership is missing',
  };
}

function missingIn(change: Extract<CatalogChange, { kind: 'prepared-database' }>): string {
  return [
    ...change.schemas.map(({ name, owner, exists }) =>
      exists ? `schema ${name} to ${owner}` : `schema ${name}`,
    ),
    ...change.extensions.map(({ name, schema }) => `extension ${name} in ${schema}`),
    ...(change.privileges.length > 0 ? ['rights of readers and writers'] : []),
  ].join(', ');
}
