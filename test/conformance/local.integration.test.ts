import { join } from 'node:path';
import { parseManifest } from '../../src/core/manifest/parse.ts';
import { createLocalPlatform } from '../../src/platform/local/index.ts';
import { ROOT } from '../support/command.ts';
import { manifest } from '../support/manifest.ts';
import { integration } from '../support/sandbox.ts';
import { bringUp, PLACEMENT, platformConformance, soon, type Traits } from './platform.ts';

const TRAITS: Traits = { commanded: true, membersReached: true, catalogs: true };

integration('conformance', sandbox => {
  platformConformance('local', TRAITS, async () => {
    // Here the platform runs in this process, and is to leave nothing in the machine's own /tmp either.
    const before = process.env.TMPDIR;
    process.env.TMPDIR = sandbox.env.TMPDIR;
    const platform = createLocalPlatform({
      stateDir: sandbox.stateDir,
      toolsDir: sandbox.env.PGHERD_TOOLS_DIR,
      launch: { node: process.execPath, main: join(ROOT, 'src', 'main.ts') },
      onSetup: () => {},
    });
    return {
      platform,
      namespace: 'default',
      manifest(name, namespace, instances) {
        const spec = { enableConnectionPooler: true };
        const text = manifest({ name, namespace, instances, spec });
        const parsed = parseManifest(text, { platform: 'local' });
        if (!parsed.ok) throw new Error(`the manifest of the test is wrong: ${JSON.stringify(parsed)}`);
        return { text, spec: parsed.spec };
      },
      async make({ spec, text }) {
        const cluster = await platform.adopt(spec, text, PLACEMENT, soon());
        await bringUp(cluster);
        return cluster;
      },
      async close() {
        if (before === undefined) delete process.env.TMPDIR;
        else process.env.TMPDIR = before;
      },
    };
  });
});
