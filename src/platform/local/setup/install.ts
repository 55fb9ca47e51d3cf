import { mkdir, writeFile } from 'node:fs/promises';
import { PgherdError, RefusedError } from '../../../lib/errors.ts';
import { hasPackageLists, policyOf, upgradesNeeded } from './apt.ts';
import { inspectTools } from './inspect.ts';
import { installPatroni } from './patroni.ts';
import { RootRunner, refuseWithoutRoot, waysToRoot } from './root.ts';
import { isReady, type ReadyReport, type ToolsReport } from './tools.ts';

export interface InstallOptions {
  /** Short messages for people, in the order of events; never more than a few per second. */
  onProgress: (message: string) => void;
  /** Downloads stop at once. Debian's installation, once begun, ends first: half of it would be worse. */
  signal: AbortSignal;
}

/**
 * Installs what the report says is missing, and nothing else: no service of a new package is left enabled or
 * running, no default cluster is created, no installed package of a server is upgraded (README.md).
 * Rejects with RefusedError, whose hint is a line to run, when that takes root and neither root nor a `sudo`
 * without password is at hand. Calling it with nothing missing does nothing.
 */
export async function installTools(report: ToolsReport, options: InstallOptions): Promise<ReadyReport> {
  if (isReady(report)) return report;
  const { toolsDir, majorWanted, isolation } = report;
  const { signal, onProgress } = options;
  const look = () => inspectTools({ toolsDir, majorWanted, isolation, signal });

  let now = report;
  if (packagesOf(now).length > 0 || now.unfinished) {
    const way = await waysToRoot(signal);
    if (way === undefined) throw refuseWithoutRoot(now);
    await mkdir(toolsDir, { recursive: true, mode: 0o755 });
    const log = `${toolsDir}/setup.log`;
    await writeFile(log, '', { mode: 0o644 });
    const root = new RootRunner(way, log, onProgress);
    if (now.unfinished) {
      onProgress('tidying up after an installation that was killed');
      await root.run('finish', [], signal);
      now = await look();
    }
    now = await knowPackages(now, root, look, options);
    await installPackages(packagesOf(now), root, options);
  }
  now = await look();
  if (now.missing.some(tool => tool.package === undefined)) {
    await installPatroni({ toolsDir, onProgress, signal });
    now = await look();
  }
  if (isReady(now)) return now;
  throw new PgherdError({
    code: 'setup-incomplete',
    message: `still missing after the installation: ${now.missing.map(tool => tool.tool).join(', ')}`,
    detail: now.notes.join('\n') || undefined,
  });
}

/** The Debian packages to install, each once. */
function packagesOf(report: ToolsReport): string[] {
  return [...new Set(report.missing.flatMap(tool => tool.package ?? []))];
}

/** Fetches the package lists if they cannot answer, and looks again: a major may have become available. */
async function knowPackages(
  report: ToolsReport,
  root: RootRunner,
  look: () => Promise<ToolsReport>,
  { onProgress, signal }: InstallOptions,
): Promise<ToolsReport> {
  if (packagesOf(report).length === 0) return report;
  const unknown = async (r: ToolsReport): Promise<string[]> => {
    const policies = await policyOf(packagesOf(r), signal);
    return packagesOf(r).filter(name => policies.get(name)?.candidate === undefined);
  };
  if ((await hasPackageLists()) && (await unknown(report)).length === 0) return report;
  onProgress('fetching the package lists');
  await root.run('update', [], signal);
  const now = await look();
  const still = await unknown(now);
  if (still.length > 0) {
    throw new PgherdError({
      code: 'package-unavailable',
      message: `this machine's package sources have no ${still.join(', ')}`,
      hint: "add Debian's component main to /etc/apt, then try again",
    });
  }
  return now;
}

/** Packages whose service the user may run: bringing them to another version would restart or break it. */
const SERVERS = /^(postgresql-(\d|common)|etcd|haproxy|pgbouncer|patroni|runit)/;

async function installPackages(
  packages: readonly string[],
  root: RootRunner,
  { onProgress, signal }: InstallOptions,
): Promise<void> {
  if (packages.length === 0) return;
  const upgrades = await upgradesNeeded(packages, signal);
  const touched = upgrades.filter(upgrade => SERVERS.test(upgrade.name));
  if (touched.length > 0) {
    throw new RefusedError({
      code: 'server-upgrade-needed',
      message: 'the installation would upgrade servers that this machine already has, which may restart them',
      detail: touched.map(upgrade => upgrade.change).join('\n'),
      hint: `sudo apt-get install --only-upgrade ${touched.map(upgrade => upgrade.name).join(' ')}`,
    });
  }
  onProgress(`installing ${packages.length} of Debian's packages: ${packages.join(' ')}`);
  if (upgrades.length > 0) onProgress(`they need newer ${upgrades.map(u => u.change).join(', ')}`);
  try {
    await root.run('download', packages, signal);
  } catch (error) {
    // Lists that are out of date name versions that the mirror has replaced since.
    if (!(await root.logMentions(/\b404\b/))) throw error;
    onProgress('the package lists are out of date: fetching them');
    await root.run('update', [], signal);
    await root.run('download', packages, signal);
  }
  await root.run('install', packages, signal);
}
