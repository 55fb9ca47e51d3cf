/**
 * Composition root: the only place that reads the process's environment and arguments and builds adapters.
 * Everything it loads beyond the command tree is loaded when it is needed: start-up time is part of the job.
 */
import { realpathSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Adapters, SetupReport, SignalName, Surroundings } from './cli/surroundings.ts';
import type { ReadyReport, ToolsReport } from './platform/local/setup/index.ts';

const MAIN = fileURLToPath(import.meta.url);
const ROOT = dirname(dirname(MAIN));

// Beside the packages, not in the shared temporary directory, where another user could plant code.
enableCompileCache(join(ROOT, 'node_modules', '.cache', 'compiled'));

/** Backups of hours are cut off some day, should they hang. */
const CHORES_MS = 48 * 3_600_000;

const { env } = process;
const uid = process.getuid?.() ?? -1;

const adapters: Adapters = {
  async platform({ stateDir, onSetup }) {
    const { createLocalPlatform } = await import('./platform/local/index.ts');
    return createLocalPlatform({
      stateDir,
      toolsDir: await toolsDir(stateDir),
      launch: { node: process.execPath, main: MAIN },
      onSetup,
    });
  },
  async kubernetes(options) {
    const { createKubernetesPlatform } = await import('./platform/kubernetes/remote/index.ts');
    return createKubernetesPlatform({ ...options, env });
  },
  async keeper(platform, { stateDir, signal, report }) {
    const [{ runKeeper }, { run }] = await Promise.all([
      import('./control/keeper.ts'),
      import('./lib/exec.ts'),
    ]);
    const own = [process.execPath, MAIN, '--state-dir', stateDir] as const;
    await runKeeper(platform, {
      signal,
      report,
      async chores({ name, namespace }, inner) {
        // The keeper itself may be more urgent than the servers; its chores never are.
        const argv = ['nice', '-n', '20', ...own, 'chores', name, '--namespace', namespace] as const;
        await run([...argv], { signal: inner, timeoutMs: CHORES_MS, killGraceMs: 15_000, okCodes: [0, 2] });
      },
    });
  },
  async operator({ configFile, ...options }) {
    const [
      { runOperator },
      { readOperatorConfig },
      { moveHeld, restartHeld },
      { runSentinel },
      chores,
      { finishCutover },
    ] = await Promise.all([
      import('./platform/kubernetes/operator/index.ts'),
      import('./platform/kubernetes/operator/configFile.ts'),
      import('./control/choreography.ts'),
      import('./control/sentinel.ts'),
      import('./backup/chores.ts'),
      import('./backup/cutover.ts'),
    ]);
    await runOperator({
      ...options,
      env,
      config: await readOperatorConfig(configFile),
      openssl: 'openssl',
      choreography: { move: moveHeld, restart: restartHeld, watch: runSentinel },
      async chores(cluster, context) {
        const finished = (await finishCutover(cluster, context))
          ? [{ what: 'a cutover that was begun', failure: undefined }]
          : [];
        const done = await chores.doChores(cluster, context);
        return [...finished, ...done.map(({ work, failure }) => ({ what: chores.nameOf(work), failure }))];
      },
    });
  },
  setup: {
    async inspect({ stateDir, majorWanted }, signal) {
      const { inspectTools } = await import('./platform/local/setup/index.ts');
      return toSetupReport(await inspectTools({ toolsDir: await toolsDir(stateDir), majorWanted, signal }));
    },
    async install({ stateDir, majorWanted }, { signal, progress }) {
      const { inspectTools, installTools } = await import('./platform/local/setup/index.ts');
      const report = await inspectTools({ toolsDir: await toolsDir(stateDir), majorWanted, signal });
      return toSetupReport(await installTools(report, { signal, onProgress: progress }));
    },
  },
  defaultStateDir,
  async versions() {
    const { readFile } = await import('node:fs/promises');
    const manifest: unknown = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
    const known = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
    return { pgherd: known ? String(manifest.version) : 'unknown', node: process.versions.node };
  },
};

/** Root's servers run as other users, who may not look into root's home. */
function defaultStateDir(): string {
  if (uid === 0) return '/var/lib/pgherd';
  return join(env.XDG_STATE_HOME || join(env.HOME ?? '', '.local', 'state'), 'pgherd');
}

async function toolsDir(stateDir: string): Promise<string> {
  const { defaultToolsDir } = await import('./platform/local/setup/index.ts');
  return defaultToolsDir({ ...env, PGHERD_STATE_DIR: stateDir }, uid);
}

function toSetupReport(report: ToolsReport | ReadyReport): SetupReport {
  const { tools, missing, notes } = report;
  const found: SetupReport['found'] = [];
  if (tools !== undefined) {
    const { postgres, etcd, pgbouncer, haproxy, patroni } = tools;
    found.push(
      { name: 'PostgreSQL', version: postgres.version },
      { name: 'Patroni', version: patroni.version },
      { name: 'etcd', version: etcd.version },
      { name: 'PgBouncer', version: pgbouncer.version },
      { name: 'HAProxy', version: haproxy.version },
    );
  }
  return { ready: tools !== undefined, found, missing: [...missing], notes };
}

/** As this user can call us from here: by name where PATH leads to our launcher, else by its path. */
function programName(): string {
  const launcher = join(ROOT, 'pgherd');
  for (const directory of (env.PATH ?? '').split(':')) {
    const found = realPath(join(directory, 'pgherd'));
    if (found !== undefined) return found === realPath(launcher) ? 'pgherd' : launcher;
  }
  const way = relative(process.cwd(), launcher);
  if (way.startsWith('..')) return way.length < launcher.length ? way : launcher;
  return `./${way}`;
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

const surroundings: Surroundings = {
  argv: process.argv.slice(2),
  env,
  cwd: process.cwd(),
  get program() {
    return programName();
  },
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  now: () => new Date(),
  onSignal(name: SignalName, listener: () => void) {
    process.on(name, listener);
    return () => void process.off(name, listener);
  },
  exitNow: code => process.exit(code),
  adapters,
  launch: { node: process.execPath, main: MAIN },
};

const { runCli } = await import('./cli/run.ts');
// What is still open then (a connection kept alive, a timer) is nothing that a user should wait for.
process.exit(await runCli(surroundings));
