/** An edited manifest and `up` again: what changes, what does not, and what clients notice. */
import { beforeAll } from 'vitest';
import { Cluster } from '../support/cluster.ts';
import { type ManifestOptions, manifest } from '../support/manifest.ts';
import { integration, type Sandbox } from '../support/sandbox.ts';
import { catalogTests } from './change/catalog.ts';
import { parameterTests } from './change/parameters.ts';
import { poolerTests } from './change/pooler.ts';
import { scaleTests } from './change/scale.ts';

/** The cluster under test and its manifest, edited from test to test. */
export interface Editable {
  sandbox: Sandbox;
  cluster: Cluster;
  /** Path of the manifest with these changes to the one the cluster was made with. */
  edited(changes?: Partial<ManifestOptions>): string;
}

integration('a change of the manifest', sandbox => {
  const cluster = new Cluster(sandbox, 'wandel');
  let edits = 0;

  function edited({ spec, ...changes }: Partial<ManifestOptions> = {}): string {
    edits += 1;
    const base = { name: cluster.name, instances: 3, spec: { enableConnectionPooler: true, ...spec } };
    return sandbox.file(`wandel-${edits}.yaml`, manifest({ ...base, ...changes }));
  }

  beforeAll(async () => {
    await cluster.up(edited());
  });

  const editable: Editable = { sandbox, cluster, edited };
  parameterTests(editable);
  catalogTests(editable);
  poolerTests(editable);
  scaleTests(editable);
});
