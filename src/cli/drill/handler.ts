import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { reinitialise, switchover } from '../../control/operations.ts';
import { applyManifest } from '../../control/up.ts';
import type { Scenario } from '../../core/drill/scenario.ts';
import { SCENARIOS, scenarioOf } from '../../core/drill/scenarios.ts';
import { crash } from '../../drill/run/crash.ts';
import { runDrill } from '../../drill/run/drill.ts';
import type { DrillReport } from '../../drill/run/report.ts';
import type { Operations } from '../../drill/run/steps.ts';
import { RefusedError } from '../../lib/errors.ts';
import type { ClusterRef, PlatformCluster } from '../../platform/contract.ts';
import { defaultLogin } from '../connection.ts';
import { noSuchEndpoint } from '../endpoints.ts';
import { EXIT } from '../failure.ts';
import { confirmName } from '../prompt.ts';
import { cloneCluster } from '../restore/found.ts';
import type { Session } from '../session.ts';
import { openCluster } from '../target.ts';
import { UsageError } from '../usage.ts';

export interface DrillWishes {
  all: boolean;
  repeat: number;
  capMs: number;
  reports: string | undefined;
  /** The cluster's name once more. */
  confirmed: string | undefined;
  /** The only one that the load comes through; undefined: all. */
  endpoint: 'primary' | 'pooler' | undefined;
  user: string | undefined;
  database: string | undefined;
}

export interface DrillOutcome {
  ref: ClusterRef;
  reports: DrillReport[];
  skipped: { scenario: Scenario; reason: string }[];
  /** Why the series ended before its end; undefined: it did not. */
  ended: string | undefined;
  durationMs: number;
  exitCode: number;
}

/** Runs drills one after the other, each on a cluster that is whole. */
export async function drill(
  session: Session,
  name: string,
  words: readonly string[],
  wishes: DrillWishes,
): Promise<DrillOutcome> {
  const scenarios = chosen(words, wishes.all);
  const cluster = await openCluster(session, name);
  if (!cluster.drillsAllowed) await confirm(session, cluster, wishes.confirmed);
  const { endpoint } = wishes;
  if (endpoint !== undefined && cluster.access.endpoint(endpoint) === undefined)
    throw noSuchEndpoint(cluster, endpoint);
  const login = defaultLogin(cluster.spec, { user: wishes.user, database: wishes.database });
  const ca = await readFile(await cluster.access.caFile(), 'utf8');
  const place = resolve(
    session.surroundings.cwd,
    wishes.reports ?? join(session.stateDir, 'drills', cluster.ref.namespace, name),
  );
  const outcome: DrillOutcome = {
    ref: cluster.ref,
    reports: [],
    skipped: [],
    ended: undefined,
    durationMs: 0,
    exitCode: EXIT.done,
  };
  const operations = operationsOn(session, cluster);
  for (const scenario of scenarios) {
    for (let run = 1; run <= wishes.repeat; run += 1) {
      const count = wishes.repeat > 1 ? ` ${run}/${wishes.repeat}` : '';
      const stamp = session.now().toISOString().replace(/[-:]/g, '').replace(/\..*/, '');
      const context = {
        signal: session.signal,
        progress: (message: string) => session.progress.say(`${scenario.id}${count}: ${message}`),
      };
      try {
        const directory = join(place, `${stamp}-${scenario.id}`);
        outcome.reports.push(
          await runDrill(
            { scenario, cluster, operations, login, ca, directory, endpoint, capMs: wishes.capMs },
            context,
          ),
        );
      } catch (error) {
        if (!(error instanceof RefusedError)) throw error;
        if (error.code === 'drill-impossible' && wishes.all) {
          outcome.skipped.push({ scenario, reason: error.message });
          break;
        }
        // Nothing was measured yet: that is a refusal of the command. Later it ends the series, whose reports count.
        if (outcome.reports.length === 0) throw error;
        return finish({ ...outcome, ended: error.message }, session);
      }
    }
  }
  return finish(outcome, session);
}

function finish(outcome: DrillOutcome, session: Session): DrillOutcome {
  const kept = outcome.reports.every(report => report.verdict.kept) && outcome.ended === undefined;
  const exitCode = !kept ? EXIT.failed : outcome.reports.length === 0 ? EXIT.degraded : EXIT.done;
  return { ...outcome, exitCode, durationMs: session.progress.elapsedMs };
}

function chosen(words: readonly string[], all: boolean): readonly Scenario[] {
  if (all && words.length > 0)
    throw new UsageError('--all and single faults exclude each other', 'leave out one of them');
  if (all) return SCENARIOS;
  if (words.length === 0) throw new UsageError('which fault?', 'see: pgherd drill --list');
  return words.map(word => {
    const scenario = scenarioOf(word);
    if (scenario !== undefined) return scenario;
    throw new UsageError(`there is no fault "${word}"`, 'see: pgherd drill --list');
  });
}

async function confirm(session: Session, cluster: PlatformCluster, given: string | undefined): Promise<void> {
  const { name } = cluster.ref;
  await confirmName(session, {
    name,
    given,
    question: `Drills break ${name} on purpose: clients of it will see errors. Type its name to go on: `,
    refusal: `${name} is not marked for drills, and nobody is here to confirm one`,
    hint: `mark it: pgherd up FILE --allow-drills; or say it: --yes-break ${name}`,
    spared: 'nothing was touched',
  });
}

/** What drills do as a person would. */
function operationsOn(session: Session, cluster: PlatformCluster): Operations {
  return {
    async up(context) {
      const platform = await session.platform();
      const manifest = await cluster.appliedManifest();
      if (manifest === undefined) return;
      const placement = { listen: undefined, port: undefined, strictVersion: false };
      const { cluster: applied } = await applyManifest(platform, cluster.spec, manifest, placement, {
        ...context,
        lockWaitMs: 30_000,
        timeoutMs: 5 * 60_000,
        dryRun: false,
        onStep: () => {},
      });
      applied[Symbol.dispose]();
    },
    async switchover(context) {
      await switchover(cluster, cluster.spec, {}, context);
    },
    async reinit(member, context) {
      await reinitialise(cluster, cluster.spec, { member }, context);
    },
    async clone(name) {
      const wish = { target: undefined, backup: undefined, from: undefined };
      const { ref } = await cloneCluster(session, cluster, name, wish);
      const platform = await session.platform();
      return await platform.open(ref, session.signal);
    },
    async crash(command, afterMs, signal, more = []) {
      const { name, namespace } = cluster.ref;
      const words = [command, name, ...more, '-n', namespace, '--state-dir', session.stateDir];
      return await crash(session.surroundings.launch, words, afterMs, signal);
    },
  };
}
