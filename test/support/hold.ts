/** Holds the clients of a cluster's poolers, and turns others away, until it is killed: `node hold.ts STATE-DIR NAME LIMIT-MS`. */
import { createLocalPlatform } from '../../src/platform/local/index.ts';

const [stateDir = '', name = '', limitMs = ''] = process.argv.slice(2);
const platform = createLocalPlatform({
  stateDir,
  toolsDir: undefined,
  launch: { node: process.execPath, main: '' },
  onSetup: () => {},
});
using cluster = await platform.open({ name, namespace: 'default' }, AbortSignal.timeout(60_000));
await cluster.moves.holdClients({ limitMs: Number(limitMs), drainMs: 2_000, turnAway: true });
process.stdout.write('held\n');
await new Promise(resolve => setTimeout(resolve, 60_000));
