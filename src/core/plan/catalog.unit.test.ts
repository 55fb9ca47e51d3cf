import { describe, expect, it } from 'vitest';
import type { ClusterSpec, PreparedDatabaseSpec, UserSpec } from '../manifest/spec.ts';
import type { CatalogObservation } from '../topology/observation.ts';
import type { CatalogChange } from './action.ts';
import { catalogChanges, desiredUsers, emptyCatalog } from './catalog.ts';
import { planCatalog } from './catalogSteps.ts';
import { situationOf } from './situation.ts';
import { applyChange } from './testing/applyCatalog.ts';
import { makeCatalog, makeDesired, makeHealthy, makeSpec } from './testing/fixture.ts';

function user(name: string, flags: Partial<UserSpec['flags']> = {}): UserSpec {
  const none = { superuser: false, createrole: false, createdb: false, replication: false, bypassrls: false };
  return { name, flags: { ...none, inherit: true, login: true, ...flags } };
}

const shop: PreparedDatabaseSpec = {
  name: 'shop',
  defaultUsers: true,
  extensions: { pg_trgm: 'data' },
  schemas: [
    { name: 'data', defaultRoles: true, defaultUsers: false },
    { name: 'history', defaultRoles: false, defaultUsers: false },
  ],
};

function applied(spec: ClusterSpec, catalog: CatalogObservation = emptyCatalog): CatalogObservation {
  return catalogChanges(spec, catalog).reduce((next, change) => applyChange(change, next), catalog);
}

function words(change: CatalogChange): string {
  if (change.kind === 'role') return `role ${change.user.name}`;
  return change.kind === 'pooler-lookup'
    ? `lookup ${change.database}`
    : `${change.kind} ${change.database.name}`;
}

describe('catalogChanges', () => {
  it('leaves nothing to change once carried out, and goes in an order PostgreSQL accepts', () => {
    const spec = makeSpec({
      users: [user('bauer'), user('root', { superuser: true })],
      databases: [{ name: 'firmendaten', owner: 'bauer' }],
      preparedDatabases: [shop],
      pooler: { primary: true },
    });
    expect(catalogChanges(spec, applied(spec))).toEqual([]);
  });

  it('creates the roles of a prepared database with the memberships of the format', () => {
    const { roles } = applied(makeSpec({ preparedDatabases: [shop] }));
    const memberOf = Object.fromEntries(Object.entries(roles).map(([name, role]) => [name, role.memberOf]));
    expect(memberOf).toEqual({
      postgres: [],
      standby: [],
      admin: ['shop_owner', 'shop_owner_user'],
      shop_owner: ['shop_reader', 'shop_writer', 'shop_reader_user', 'shop_writer_user', 'shop_data_owner'],
      shop_reader: [],
      shop_writer: ['shop_reader'],
      shop_owner_user: ['shop_owner'],
      shop_reader_user: ['shop_reader'],
      shop_writer_user: ['shop_writer'],
      shop_data_owner: ['shop_data_reader', 'shop_data_writer'],
      shop_data_reader: [],
      shop_data_writer: ['shop_data_reader'],
    });
    expect(roles.shop_owner?.flags).toEqual(['inherit']);
    expect(roles.shop_owner_user?.flags).toEqual(['inherit', 'login']);
  });

  it('gives schemas without roles of their own to the owner of the database', () => {
    const { databases } = applied(makeSpec({ preparedDatabases: [shop] }));
    expect(databases.shop?.owner).toBe('shop_owner');
    expect(databases.shop?.schemas).toEqual({
      data: { owner: 'shop_data_owner' },
      history: { owner: 'shop_owner' },
    });
  });

  it('grants default rights to users that were enabled later, which upstream misses', () => {
    const before = applied(makeSpec({ preparedDatabases: [{ ...shop, defaultUsers: false }] }));
    const changes = catalogChanges(makeSpec({ preparedDatabases: [shop] }), before);
    expect(changes.map(words)).toEqual([
      'role shop_owner_user',
      'role shop_reader_user',
      'role shop_writer_user',
      'prepared-database shop',
    ]);
    const prepared = changes.at(-1);
    expect(
      prepared?.kind === 'prepared-database' && new Set(prepared.privileges.map(rule => rule.creator)),
    ).toEqual(new Set(['shop_owner_user']));
  });

  it('asks for no rights it could not read, and for no extension in a schema that nobody makes', () => {
    const odd: PreparedDatabaseSpec = { ...shop, extensions: { citext: 'elsewhere' } };
    const spec = makeSpec({ preparedDatabases: [odd] });
    const before = applied(spec);
    const unread = structuredClone(before);
    if (unread.databases.shop !== undefined) unread.databases.shop.defaultPrivileges = undefined;
    expect(catalogChanges(spec, before)).toEqual([]);
    expect(catalogChanges(spec, unread)).toEqual([]);
  });

  it('alters flags and owners, and drops nothing that the manifest no longer names', () => {
    const catalog = makeCatalog();
    catalog.roles.bauer = { flags: ['INHERIT', 'LOGIN', 'createdb'], memberOf: ['gone'] };
    catalog.roles.admin?.memberOf.push('bauer');
    catalog.roles.gone = { flags: ['login'], memberOf: [] };
    catalog.databases.firmendaten = { owner: 'gone', schemas: {}, extensions: {}, poolerLookup: true };
    catalog.databases.old = { owner: 'gone', schemas: {}, extensions: {}, poolerLookup: true };
    const spec = makeSpec({ users: [user('bauer')], databases: [{ name: 'firmendaten', owner: 'bauer' }] });
    const desired = makeDesired(spec);
    const steps = planCatalog(situationOf(desired, { ...makeHealthy(desired), catalog }));
    expect(steps.map(step => step.summary)).toEqual([
      'change role bauer: nocreatedb',
      'give database firmendaten to bauer',
    ]);
  });

  it('installs the pooler lookup in every database, those to be created included', () => {
    const spec = makeSpec({
      users: [user('a')],
      databases: [{ name: 'neu', owner: 'a' }],
      pooler: { standby: true },
    });
    const catalog = makeCatalog();
    catalog.databases.fremd = { owner: 'postgres', schemas: {}, extensions: {}, poolerLookup: false };
    expect(catalogChanges(spec, catalog).map(words)).toEqual([
      'role a',
      'role pooler',
      'database neu',
      'lookup fremd',
      'lookup neu',
      'lookup postgres',
    ]);
  });

  it('does not hand a superuser to the administrators role', () => {
    const { roles } = applied(makeSpec({ users: [user('root', { superuser: true }), user('bauer')] }));
    expect(roles.admin?.memberOf).toEqual(['bauer']);
  });
});

describe('desiredUsers', () => {
  it('names everyone who logs in', () => {
    const spec = makeSpec({
      users: [user('bauer'), user('group', { login: false })],
      preparedDatabases: [shop],
      pooler: { primary: true, user: 'bouncer' },
    });
    expect(desiredUsers(spec)).toEqual([
      'postgres',
      'standby',
      'bauer',
      'shop_owner_user',
      'shop_reader_user',
      'shop_writer_user',
      'bouncer',
    ]);
  });
});
