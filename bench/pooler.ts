/**
 * What the pooler endpoint costs: select-only pgbench and new connections through it, beside the same PgBouncer
 * started by hand with the same TLS, connected straight to the primary. Runs alternate.
 *
 *   node bench/pooler.ts [RUNS] [SECONDS]     default 5 runs of 10 s each
 */
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { defaultToolsDir } from '../src/platform/local/setup/index.ts';
import { keep, load, MANIFEST, pgbench, pgherd, start, summarise, tps } from './support.ts';

const runs = Number(process.argv[2] ?? 5);
const seconds = Number(process.argv[3] ?? 10);
const NAME = 'wichtige-daten-3';
const HAND_PORT = 7432;
process.env.PGHERD_TOOLS_DIR = defaultToolsDir(process.env, process.getuid?.() ?? -1);

const stateDir = mkdtempSync('/tmp/pgherd-bench-');
chmodSync(stateDir, 0o755);
const hand = mkdtempSync('/tmp/pgherd-hand-');
chmodSync(hand, 0o755);
let stopHand = () => {};
try {
  await pgherd(stateDir, ['up', MANIFEST]);
  const url = String(
    ((await pgherd(stateDir, ['url', NAME, '--endpoint', 'pooler'])).document as { url: string }).url,
  );
  stopHand = startByHand(url);
  const byHand = url.replace(/:\d+\//, `:${HAND_PORT}/`);
  const direct = String(
    ((await pgherd(stateDir, ['url', NAME, '--endpoint', 'primary'])).document as { url: string }).url,
  );
  const binDir = (
    JSON.parse(readFileSync(join(clusterDir(), 'cluster.json'), 'utf8')) as { postgres: { binDir: string } }
  ).postgres.binDir;
  await pgbench(binDir, direct, ['-i', '-q', '-s', '10']);
  await delay(2000);

  const samples: Record<string, number[]> = {};
  const add = (key: string, value: number) => {
    samples[key] = [...(samples[key] ?? []), value];
  };
  const loads: number[] = [];
  for (let n = 0; n < runs; n++) {
    loads.push(load());
    for (const [who, target] of [
      ['pgherd', url],
      ['by hand', byHand],
      ['proxy', direct],
    ] as const) {
      const select = ['-S', '-n', '-c', '20', '-j', '2', '-T', String(seconds)];
      add(`select-only, 20 clients, tps: ${who}`, tps(await pgbench(binDir, target, select)));
      if (who === 'proxy') continue;
      const connect = ['-S', '-C', '-n', '-c', '20', '-j', '2', '-T', String(seconds)];
      add(`new connections per second: ${who}`, tps(await pgbench(binDir, target, connect)));
    }
    process.stderr.write(`run ${n + 1} of ${runs} done\n`);
  }
  const summaries = Object.fromEntries(
    Object.entries(samples).map(([key, values]) => [key, summarise(values)]),
  );
  const ratio = (what: string) =>
    (summaries[`${what}: pgherd`]?.median ?? 0) / (summaries[`${what}: by hand`]?.median ?? 1);
  keep('pooler', {
    'ratio select-only (pgherd to by hand)': ratio('select-only, 20 clients, tps'),
    'ratio new connections (pgherd to by hand)': ratio('new connections per second'),
    samples: summaries,
    'load average before each run': loads,
  });
} finally {
  stopHand();
  await pgherd(stateDir, ['destroy', NAME, '--yes-destroy', NAME]);
  for (const dir of [stateDir, hand]) rmSync(dir, { recursive: true, force: true });
}

function clusterDir(): string {
  return join(stateDir, 'clusters', 'default', NAME);
}

/** The same configuration file, with a port, sockets and a pid file of its own. */
function startByHand(url: string): () => void {
  const conf = join(clusterDir(), 'conf', 'pooler-0');
  const owner = statSync(conf);
  const file = join(hand, 'pgbouncer.ini');
  const text = readFileSync(join(conf, 'pgbouncer.ini'), 'utf8')
    .replace(/^listen_port = .*$/m, `listen_port = ${HAND_PORT}`)
    .replace(/^unix_socket_dir = .*$/m, `unix_socket_dir = ${hand}/socket`)
    .replace(/^pidfile = .*$/m, `pidfile = ${hand}/pid`)
    .replace(/^peer_id = .*$/m, '')
    .replace(/^\[peers\]$(\n^\d+ = .*$)+/m, '');
  writeFileSync(file, text, { mode: 0o600 });
  mkdirSync(join(hand, 'socket'), { mode: 0o700 });
  for (const path of [hand, file, join(hand, 'socket')]) chownSync(path, owner.uid, owner.gid);
  const { pgbouncer } = (
    JSON.parse(readFileSync(join(clusterDir(), 'cluster.json'), 'utf8')) as {
      programs: { pgbouncer: string };
    }
  ).programs;
  process.stderr.write(`by hand: ${dirname(url).split('@')[1] ?? ''}, port ${HAND_PORT}\n`);
  return start([pgbouncer, '-q', file], { user: 'postgres', log: openSync(join(hand, 'log'), 'a') });
}
