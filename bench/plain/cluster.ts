/** A baseline as what drills are run on, so that the same runner measures it with the same load and evaluation. */
import { parseManifest } from '../../src/core/manifest/parse.ts';
import type { ClusterSpec } from '../../src/core/manifest/spec.ts';
import type { Operations } from '../../src/drill/run/steps.ts';
import { poll } from '../../src/lib/time.ts';
import type { PlatformCluster } from '../../src/platform/contract.ts';
import type { Baseline } from './baseline.ts';
import { faultsOn } from './faults.ts';
import { addressOf, FRONT, hostOf, LOGIN, PORTS, SCOPE, socketOf } from './layout.ts';
import { observe, readLeader } from './observe.ts';
import type { BaselineSettings } from './settings.ts';

/** What a drill asks of a cluster; the rest of the contract is never called. */
type Drilled = Pick<
  PlatformCluster,
  'ref' | 'spec' | 'observe' | 'faults' | 'leader' | 'access' | 'journal'
> & { backups: Pick<PlatformCluster['backups'], 'repositories'> };

export function clusterOf(baseline: Baseline): PlatformCluster {
  const { directory, passwords, settings } = baseline.ground;
  const cluster: Drilled = {
    ref: { name: SCOPE, namespace: 'default' },
    spec: specOf(settings),
    observe: (_options, signal) => observe(baseline, signal),
    faults: faultsOn(baseline),
    leader: readLeader,
    access: {
      inside: async member => ({
        socketDirectory: socketOf(directory, hostOf(member)),
        port: PORTS.postgres,
        user: 'postgres',
      }),
      reach: async () => undefined,
      endpoint: name => ({ host: FRONT, port: PORTS[name] }),
      credentials: async () => ({ secret: '', username: LOGIN.user, password: passwords.load }),
      users: never,
      caFile: never,
      psql: never,
    },
    journal: { append: async () => {}, read: async () => [] },
    backups: { repositories: [] },
  };
  return cluster as PlatformCluster;
}

/** The commands, and the ways in that only a person takes. */
async function never(): Promise<never> {
  throw new Error('a baseline is drilled, and nothing else');
}

/** A switchover by Patroni's REST interface; nothing else is asked of a baseline. */
export function operationsOn(baseline: Baseline): Operations {
  return {
    up: never,
    reinit: never,
    crash: never,
    clone: never,
    async switchover({ signal }) {
      const leader = await readLeader(signal);
      if (leader === undefined) throw new Error('nobody is leader');
      const answer = await fetch(`http://${addressOf(hostOf(leader))}:${PORTS.patroni}/switchover`, {
        method: 'POST',
        body: JSON.stringify({ leader }),
        signal: AbortSignal.any([signal, AbortSignal.timeout(120_000)]),
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`Patroni refused the switchover: ${text}`);
      await poll(
        async inner => {
          const { members } = await observe(baseline, inner);
          const primary = members.find(({ role }) => role === 'primary')?.name;
          return primary !== undefined && primary !== leader ? true : undefined;
        },
        { what: 'another primary', timeoutMs: 120_000, everyMs: 100, signal },
      );
    },
  };
}

/** The manifest that comes nearest: verdicts are told by it. */
function specOf({ patroni }: BaselineSettings): ClusterSpec {
  const manifest = [
    'apiVersion: acid.zalan.do/v1',
    'kind: postgresql',
    'metadata:',
    `  name: ${SCOPE}`,
    'spec:',
    '  numberOfInstances: 3',
    '  enableConnectionPooler: true',
    '  enableReplicaConnectionPooler: true',
    '  postgresql: { version: "15" }',
    '  volume: { size: 1Gi }',
    `  patroni: { synchronous_mode: ${patroni.synchronous_mode === true} }`,
    '',
  ].join('\n');
  const parsed = parseManifest(manifest);
  if (!parsed.ok) throw new Error(parsed.errors.map(({ message }) => message).join('; '));
  return parsed.spec;
}
