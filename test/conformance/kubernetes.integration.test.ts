/** The platform contract on a real Kubernetes: the operator makes the cluster, commands look and operate. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { parse } from 'yaml';
import { parseManifest } from '../../src/core/manifest/parse.ts';
import { createKubernetesPlatform } from '../../src/platform/kubernetes/remote/index.ts';
import { Bench, obstacle } from '../kubernetes/support.ts';
import { manifest } from '../support/manifest.ts';
import { platformConformance, soon, type Traits } from './platform.ts';

const TRAITS: Traits = { commanded: false, membersReached: false, catalogs: false };

describe.skipIf(obstacle !== undefined)(
  `conformance${obstacle === undefined ? '' : ` on Kubernetes (${obstacle})`}`,
  () => {
    platformConformance('kubernetes', TRAITS, async () => {
      const bench = await Bench.open();
      const { namespace } = bench;
      const stateDir = await mkdtemp(join(tmpdir(), 'pgherd-conformance-'));
      const kubeconfig = process.env.PGHERD_TEST_KUBECONFIG;
      const access = { kubeconfig, context: undefined, env: process.env };
      const platform = await createKubernetesPlatform({ ...access, namespace, stateDir });
      return {
        platform,
        namespace,
        manifest(name, place, instances) {
          const spec = {
            postgresql: { version: bench.version },
            enableConnectionPooler: true,
            resources: { requests: { cpu: '20m', memory: '100Mi' }, limits: { cpu: '1', memory: '500Mi' } },
          };
          const text = manifest({ name, namespace: place, instances, spec });
          const parsed = parseManifest(text, { platform: 'kubernetes' });
          if (!parsed.ok) throw new Error(`the manifest of the test is wrong: ${JSON.stringify(parsed)}`);
          return { text, spec: parsed.spec };
        },
        async make({ text, spec: { name } }) {
          await bench.operator();
          await bench.create(name, (parse(text) as { spec: object }).spec);
          await bench.settled(name, 240_000);
          return await platform.open({ name, namespace }, soon());
        },
        async close() {
          await bench[Symbol.asyncDispose]();
          await rm(stateDir, { recursive: true });
        },
      };
    });
  },
);
