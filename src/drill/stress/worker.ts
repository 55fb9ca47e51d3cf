/** A thread of the stress test: runs its share of the clients and sends a window of figures twice a second. */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { createSecureContext } from 'node:tls';
import { parentPort, workerData } from 'node:worker_threads';
import { type Crew, LoadClient } from './client.ts';
import { monotonic } from './clock.ts';
import { Gate } from './gate.ts';
import { CONNECT_TIMEOUT_MS, type Load, STATEMENT_TIMEOUT_MS } from './load.ts';
import { clientConfig, type Target } from './target.ts';
import { Recorder, type Window } from './window.ts';

/** What a thread is started with. */
export interface Order {
  target: Target;
  load: Load;
  /** Number of its first client, and how many it has. */
  first: number;
  count: number;
  /** Attempts to connect at a time. */
  attempts: number;
}

/** What a thread is told. `at`: monotonic milliseconds. */
export type Command = { kind: 'begin'; at: number } | { kind: 'end' };

/** What a thread says. */
export type Report = { kind: 'window'; window: Window } | { kind: 'done' };

const TICK_MS = 500;
const GOODBYE_MS = 1_500;

const port = parentPort;
if (port === null) throw new TypeError('a thread of the stress test was started as a program');
const order = workerData as Order;
const { load } = order;

const recorder = new Recorder();
const born = monotonic();
let beginsAt: number | undefined;
let over = false;
let begin: (at: number) => void = () => {};
const crew: Crew = {
  load,
  // One for all: reading the authority's certificate for each of thousands of connections takes seconds.
  config: {
    ...clientConfig(order.target, CONNECT_TIMEOUT_MS),
    ssl: { secureContext: createSecureContext({ ca: order.target.ca }) },
  },
  gate: new Gate(order.attempts),
  recorder,
  begun: new Promise<number>(resolve => {
    begin = resolve;
  }),
  since: () => (beginsAt === undefined ? -1 : monotonic() - beginsAt),
  get over() {
    return over;
  },
};
const clients = Array.from({ length: order.count }, (_, i) => new LoadClient(order.first + i, crew));

const delays = monitorEventLoopDelay({ resolution: 10 });
delays.enable();
let lastLoop = performance.eventLoopUtilization();
let lastCpu = cpuMs();
let windowFrom = 0;
let lastAt = born;

/** What this thread has had of a processor. Older releases of Node cannot tell: then nobody waits for one. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage?.() ?? { user: 0, system: 0 };
  return (user + system) / 1_000;
}

/** Sends what has happened since the last window. */
function report(): void {
  const now = monotonic();
  const base = beginsAt ?? born;
  const loop = performance.eventLoopUtilization();
  const cpu = cpuMs();
  const waiting = clients.filter(client => client.waitingSince !== undefined);
  const oldest = Math.min(now, ...waiting.map(client => client.waitingSince ?? now));
  const window: Window = {
    phase: beginsAt === undefined ? 'ramp' : 'load',
    fromMs: windowFrom,
    toMs: now - base,
    connected: clients.filter(client => client.connected).length,
    waiting: waiting.length,
    oldestMs: now - oldest,
    tried: clients.filter(client => client.tried).length,
    utilisation: performance.eventLoopUtilization(loop, lastLoop).utilization,
    cpu: (cpu - lastCpu) / Math.max(1, now - lastAt),
    delayMs: Math.max(0, delays.max / 1e6 - 10),
    ...recorder.take(),
  };
  delays.reset();
  lastLoop = loop;
  lastCpu = cpu;
  lastAt = now;
  windowFrom = window.toMs;
  port?.postMessage({ kind: 'window', window } satisfies Report);
  for (const client of waiting) {
    if (now - (client.waitingSince ?? now) > STATEMENT_TIMEOUT_MS) client.giveUp();
  }
}

const ticks = setInterval(report, TICK_MS);

/** The load is over: a last window, then every session ends in order. */
async function end(): Promise<void> {
  if (over) return;
  over = true;
  clearInterval(ticks);
  report();
  const goodbye = new Promise<void>(resolve => void setTimeout(resolve, GOODBYE_MS));
  await Promise.race([Promise.all(clients.map(client => client.close())), goodbye]);
  port?.postMessage({ kind: 'done' } satisfies Report);
  port?.close();
}

port.on('message', (command: Command) => {
  if (command.kind === 'end') {
    void end();
    return;
  }
  report();
  beginsAt = command.at;
  windowFrom = 0;
  setTimeout(() => void end(), Math.max(0, command.at + load.durationMs - monotonic()));
  begin(command.at);
});

for (const client of clients) void client.run();
