/** Looking at members and their servers before they are broken. */
import { Session } from '../../../engine/postgres/connection.ts';
import { roleInTitle } from '../../../engine/postgres/processes.ts';
import { componentKind, ordinalOf, VOTERS } from '../layout.ts';
import { listServices } from '../runit.ts';
import { memberSocketDir } from '../serviceParts.ts';
import type { FaultContext } from './injector.ts';
import { allProcesses, type FoundProcess, postmasterOf } from './processes.ts';

const STATEMENT_MS = 5_000;

/** Why there is no such server here; undefined: there is. */
export async function serverObstacle(
  name: string,
  { paths, record }: FaultContext,
): Promise<string | undefined> {
  const known = await listServices(paths.services);
  if (known.includes(name)) return undefined;
  return `${record.name} has no server ${name}; it has ${known.join(', ')}`;
}

/** Why there is no such member here; undefined: there is. */
export async function memberObstacle(name: string, context: FaultContext): Promise<string | undefined> {
  const known = (await listServices(context.paths.services)).filter(one => componentKind(one) === 'member');
  if (known.includes(name)) return undefined;
  return `${context.record.name} has no member ${name}; its members: ${known.join(', ')}`;
}

/** Why it is no standby that runs; undefined: it is one. */
export async function standbyObstacle(name: string, context: FaultContext): Promise<string | undefined> {
  const unknown = await memberObstacle(name, context);
  if (unknown !== undefined) return unknown;
  if ((await postmasterOf(context.paths, name)) === undefined) return `PostgreSQL of ${name} does not run`;
  const roles = (await postgresOf(name, context)).map(({ title }) => roleInTitle(title, context.record.name));
  return roles.includes('startup') ? undefined : `${name} is no standby: choose another member`;
}

/** Children of a member's postmaster. */
export async function postgresOf(
  member: string,
  { paths }: Pick<FaultContext, 'paths'>,
): Promise<FoundProcess[]> {
  const postmaster = await postmasterOf(paths, member);
  if (postmaster === undefined) return [];
  return (await allProcesses()).filter(({ parent }) => parent === postmaster.pid);
}

/** Services that stand for the member's host: its own and the voter beside it. */
export async function servicesOfHost(member: string, { paths }: FaultContext): Promise<string[]> {
  const voter = `etcd-${ordinalOf(member)}`;
  const beside = ordinalOf(member) < VOTERS && (await listServices(paths.services)).includes(voter);
  return beside ? [member, voter] : [member];
}

/** The superuser's session on a member's own host, past the network. */
export async function openInside(
  member: string,
  { paths, record }: FaultContext,
  signal: AbortSignal,
): Promise<Session> {
  const target = {
    host: memberSocketDir(paths, member),
    port: record.port,
    database: 'postgres',
    user: 'postgres',
    // The socket's rule is peer: the system's user is the proof.
    password: '',
    ca: undefined,
    timeoutMs: STATEMENT_MS,
  };
  return await Session.open(target, signal);
}
