/**
 * What many clusters cost the operator: objects only, without pods, on a real API server. Prints its memory once all are
 * as asked, the CPU of a restart with a first look at every cluster, and of the resync of all that follows when nothing
 * has changed.
 *
 *   PGHERD_TEST_KUBECONFIG=… PGHERD_TEST_OPERATOR_CONFIG=… node bench/kubernetes/many.ts [CLUSTERS]     default 500
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Bench, obstacle } from '../../test/kubernetes/support.ts';

if (obstacle !== undefined) throw new Error(obstacle);
const count = Number(process.argv[2] ?? 500);
/** Longer than the operator waits between two looks at a cluster that is as asked. */
const RESYNC_MS = 35_000;

await using bench = await Bench.open();
const say = (text: string) => process.stdout.write(`${text}\n`);

for (let n = 0; n < count; n++) {
  await bench.create(`many-${n}`, {
    teamId: 'acid',
    postgresql: { version: bench.version },
    numberOfInstances: 0,
    volume: { size: '1Gi' },
    users: { bauer: [] },
    databases: { firmendaten: 'bauer' },
    enableMasterLoadBalancer: false,
  });
}
const first = await bench.operator();
const began = performance.now();
await allStopped();
say(`${count} clusters made in ${seconds(performance.now() - began)} s`);
await delay(RESYNC_MS);
say(`memory after making them: ${mebibytes((await first.metrics()).process_resident_memory_bytes)} MiB`);
await first.kill('SIGTERM');

const second = await bench.operator();
await settled(second);
const afterStart = await second.metrics();
say(`restart and a first look at all: ${seconds(cpu(afterStart) * 1000)} s of CPU`);
const looks = afterStart.pgherd_reconciles_total ?? 0;
await delay(RESYNC_MS);
const later = await second.metrics();
const runs = (later.pgherd_reconciles_total ?? 0) - looks;
say(`${runs} looks without a change: ${seconds((cpu(later) - cpu(afterStart)) * 1000)} s of CPU`);
say(
  `memory: ${mebibytes(later.process_resident_memory_bytes)} MiB, of which heap in use ${mebibytes(later.nodejs_heap_size_used_bytes)}`,
);

function cpu(metrics: Record<string, number>): number {
  return metrics.process_cpu_seconds_total ?? 0;
}

/** Every cluster has been looked at since the start, and none waits. */
async function settled(operator: typeof second): Promise<void> {
  for (;;) {
    const { pgherd_queue_backlog: backlog = 1, pgherd_reconciles_total: done = 0 } = await operator.metrics();
    if (backlog === 0 && done >= count) return;
    await delay(200);
  }
}

async function allStopped(): Promise<void> {
  for (;;) {
    const signal = AbortSignal.timeout(60_000);
    const { items } = await bench.client.list('postgresql', { namespace: bench.namespace }, signal);
    const done = items.filter(
      item =>
        (item.status as { PostgresClusterStatus?: string } | undefined)?.PostgresClusterStatus === 'Stopped',
    );
    if (done.length === count) return;
    await delay(1000);
  }
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(2);
}

function mebibytes(bytes = 0): string {
  return (bytes / 2 ** 20).toFixed(0);
}
