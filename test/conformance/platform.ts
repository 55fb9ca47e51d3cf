/**
 * The platform contract (src/platform/contract.ts) as tests: every platform has to pass them, whatever runs its
 * servers. Nothing in here knows of processes, files or pods.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reconcile } from '../../src/control/up.ts';
import type { ClusterSpec } from '../../src/core/manifest/spec.ts';
import type {
  ApplyContext,
  ClusterRef,
  PlacementOptions,
  Platform,
  PlatformCluster,
} from '../../src/platform/contract.ts';
import { WITHIN } from '../support/poll.ts';
import { faultTests } from './faults.ts';
import { lockTests } from './lock.ts';
import { operationTests } from './operations.ts';
import { readingTests } from './reading.ts';

/** What a platform brings along to be tested. */
export interface Specimen {
  platform: Platform;
  /** Where its clusters are. */
  namespace: string;
  /** A manifest of that many instances with a primary pooler, user `bauer` and his database `firmendaten`. */
  manifest(name: string, namespace: string, instances: number): { text: string; spec: ClusterSpec };
  /** Makes the cluster of a manifest by whatever makes clusters there; resolves with it once it is whole. */
  make(manifest: { text: string; spec: ClusterSpec }): Promise<PlatformCluster>;
  close(): Promise<void>;
}

/** In what platforms differ by their nature. */
export interface Traits {
  /** Commands make, change, stop and remove clusters. Elsewhere such commands are refused. */
  commanded: boolean;
  /** Members are reached at their own addresses from the machine of the tests. */
  membersReached: boolean;
  /** An observation reads the primary's catalogs. */
  catalogs: boolean;
}

const MISSING: Record<keyof Traits, string> = {
  commanded: 'not here: clusters are made, changed and removed without commands of ours',
  membersReached: 'not here: there is no way from this machine to the addresses of members',
  catalogs: 'not here: observations do not read catalogs',
};

/** The cluster that the parts of the suite share; it is there once `beforeAll` has run. */
export interface Shared {
  traits: Traits;
  platform(): Platform;
  cluster(): PlatformCluster;
  ref(): ClusterRef;
  manifest: Specimen['manifest'];
}

export const PLACEMENT: PlacementOptions = { listen: undefined, port: undefined, strictVersion: false };
export const NAME = 'probe';
/** Servers on machines of others, that pull and start as they can. */
const MAKE_MS = 300_000;
export const INSTANCES = 2;

/** `it` for what only platforms with this trait do: for others the test is skipped, and its name says why. */
export function needs(
  traits: Traits,
  trait: keyof Traits,
): (name: string, test: () => Promise<void>) => void {
  if (traits[trait]) return (name, test) => it(name, test);
  return (name, test) => it.skip(`${name} (${MISSING[trait]})`, test);
}

/** A deadline for what a test does in one go. */
export function soon(milliseconds: number = WITHIN.command): AbortSignal {
  return AbortSignal.timeout(milliseconds);
}

export function context(signal: AbortSignal = soon()): ApplyContext {
  return { signal, progress: () => {} };
}

/** Brings the cluster to what its manifest asks for, as `up` does. */
export async function bringUp(cluster: PlatformCluster): Promise<void> {
  const settings = { onStep: () => {}, lockWaitMs: 0, timeoutMs: WITHIN.command, dryRun: false };
  await cluster.provision(context());
  await cluster.record();
  await reconcile(cluster, { ...context(), ...settings });
}

/** @param factory makes a platform without any cluster. */
export function platformConformance(name: string, traits: Traits, factory: () => Promise<Specimen>): void {
  const commanded = needs(traits, 'commanded');
  describe(`platform ${name}`, () => {
    let specimen: Specimen;
    let cluster: PlatformCluster;
    const ref = () => ({ name: NAME, namespace: specimen.namespace });
    const wanted = () => specimen.manifest(NAME, specimen.namespace, INSTANCES);
    const shared: Shared = {
      traits,
      platform: () => specimen.platform,
      cluster: () => cluster,
      ref,
      manifest: (...words) => specimen.manifest(...words),
    };

    beforeAll(async () => {
      specimen = await factory();
    });
    afterAll(async () => {
      await specimen?.close();
    });

    describe('before a cluster exists', () => {
      it('lists none, and opens none', async () => {
        expect(await specimen.platform.list(soon())).toEqual([]);
        const error = await specimen.platform.open(ref(), soon()).catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ name: 'ClusterNotFoundError', code: 'no-such-cluster' });
        expect(String(error)).toContain(NAME);
      });

      commanded('adopts a manifest without writing anything', async () => {
        const { spec, text } = wanted();
        using adopted = await specimen.platform.adopt(spec, text, PLACEMENT, soon());
        expect(adopted.ref).toEqual(ref());
        expect(adopted.spec).toEqual(spec);
        expect(await adopted.appliedManifest()).toBeUndefined();
        expect(await adopted.observe({ catalog: true }, soon())).toMatchObject({
          exists: false,
          stopped: false,
          components: [],
          members: [],
          catalog: undefined,
          config: undefined,
        });
        expect(await specimen.platform.list(soon())).toEqual([]);
      });

      commanded('wants as many members as the manifest says, each component once', async () => {
        const { spec, text } = wanted();
        using adopted = await specimen.platform.adopt(spec, text, PLACEMENT, soon());
        const { components } = adopted.desired();
        expect(components.filter(component => component.kind === 'member')).toHaveLength(INSTANCES);
        expect(components.filter(component => component.kind === 'pooler').length).toBeGreaterThan(0);
        expect(components.filter(component => component.kind === 'poolerStandby')).toEqual([]);
        expect(new Set(components.map(component => component.name)).size).toBe(components.length);
      });

      commanded('refuses an impossible placement before anything exists', async () => {
        const { spec, text } = wanted();
        const placement = { ...PLACEMENT, listen: '203.0.113.7' };
        await expect(specimen.platform.adopt(spec, text, placement, soon())).rejects.toMatchObject({
          hint: expect.stringMatching(/./),
        });
        expect(await specimen.platform.list(soon())).toEqual([]);
      });
    });

    describe('a cluster', () => {
      beforeAll(async () => {
        cluster = await specimen.make(wanted());
      }, MAKE_MS);
      afterAll(() => {
        cluster?.[Symbol.dispose]();
      });

      readingTests(shared);
      lockTests(shared);
      faultTests(shared);
      operationTests(shared);
    });
  });
}
