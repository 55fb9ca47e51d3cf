/**
 * Injects a fault into a cluster and then waits to be killed: what a drill is that dies. Arguments: state directory,
 * tools directory, name of the cluster, the fault as JSON. Prints what was done when it is done.
 */
import { join } from 'node:path';
import type { Fault } from '../../src/core/drill/fault.ts';
import { createLocalPlatform } from '../../src/platform/local/index.ts';
import { ROOT } from './command.ts';

const [stateDir = '', toolsDir, name = '', fault = ''] = process.argv.slice(2);
const platform = createLocalPlatform({
  stateDir,
  toolsDir,
  launch: { node: process.execPath, main: join(ROOT, 'src', 'main.ts') },
  onSetup: () => {},
});
const cluster = await platform.open({ name, namespace: 'default' }, AbortSignal.timeout(60_000));
const { description } = await cluster.faults.inject(JSON.parse(fault) as Fault, AbortSignal.timeout(60_000));
process.stdout.write(`${description}\n`);
// The test ends this process; should it not come to that, this does.
setTimeout(() => {}, 120_000);
