/**
 * The drills, numbered as in the catalogue of faults (docs/drills.md). Bounds are what the cluster promises by its
 * settings: a server that crashed is replaced in a few turns of Patroni's loop, a host that fell silent after the
 * lease.
 */
import type { Scenario } from './scenario.ts';
import { BACKUPS } from './scenarios/backups.ts';
import { DATA } from './scenarios/data.ts';
import { HOSTS } from './scenarios/hosts.ts';
import { NETWORKS } from './scenarios/networks.ts';
import { PROCESSES } from './scenarios/processes.ts';
import { SERVERS } from './scenarios/servers.ts';

/** By number. */
export const SCENARIOS: readonly Scenario[] = [
  ...PROCESSES,
  ...HOSTS,
  ...NETWORKS,
  ...DATA,
  ...SERVERS,
  ...BACKUPS,
].sort((a, b) => a.id.localeCompare(b.id, 'en'));

/** By number or name, whatever the case; undefined: there is none. */
export function scenarioOf(word: string): Scenario | undefined {
  const wanted = word.toLowerCase();
  return SCENARIOS.find(({ id, name }) => id.toLowerCase() === wanted || name === wanted);
}
