import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf, PgherdError, RefusedError } from '../../../lib/errors.ts';
import { run } from '../../../lib/exec.ts';
import { APT_ENV, debianMirrors } from './apt.ts';
import { PYTHON } from './needs.ts';
import { askPython } from './python.ts';
import { patroniObjection, versionIn } from './versions.ts';

/** Debian 13's package. Its hash is what makes the source trustworthy, wherever the file comes from. */
const PINNED = {
  path: 'pool/main/p/patroni/patroni_4.0.7-3~deb13u1_all.deb',
  sha256: 'b8a6d276d3adb0c9b8a6d6198575c6081134bd2038b4780d08a6c34375972931',
};
const RELEASE = 'trixie';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const FETCH_MS = 120_000;
/**
 * python-etcd makes urllib3 use pyOpenSSL where the machine has it, which then fails on certificates with DNS names
 * unless python3-idna is there too, and costs each start 0.2 s. Python's own ssl does all that is needed.
 */
const NO_PYOPENSSL = "raise ImportError('pgherd runs Patroni on the ssl module of Python itself')\n";

export interface PatroniOptions {
  toolsDir: string;
  onProgress: (message: string) => void;
  signal: AbortSignal;
}

/**
 * Puts Patroni into `<toolsDir>/patroni-<version>`, complete or not at all, and checks that the system's
 * Python can load it. Needs no root. Rejects when no Debian mirror gives a package that is acceptable.
 */
export async function installPatroni({ toolsDir, onProgress, signal }: PatroniOptions): Promise<void> {
  await mkdir(toolsDir, { recursive: true, mode: 0o755 });
  await refuseHiddenDir(toolsDir);
  const work = await mkdtemp(`${toolsDir}/.patroni-`);
  try {
    onProgress('fetching Patroni from Debian');
    const deb = await fetchPackage(work, signal);
    const version = await versionOfPackage(deb, signal);
    const prefix = `${work}/prefix`;
    await mkdir(prefix);
    await run(['dpkg-deb', '-x', deb, prefix], { signal, timeoutMs: 60_000, env: APT_ENV });
    await chmod(prefix, 0o755);
    await writeFile(`${prefix}/usr/lib/python3/dist-packages/OpenSSL.py`, NO_PYOPENSSL);
    // Patroni runs as a user who may not write here: without this each start would compile everything anew.
    await run([PYTHON, '-m', 'compileall', '-q', `${prefix}/usr/lib/python3`], { signal, timeoutMs: 60_000 });
    const { patroniError } = await askPython(prefix, signal);
    if (patroniError !== null) {
      throw new PgherdError({
        code: 'patroni-unusable',
        message: `Patroni ${version} does not load with this machine's ${PYTHON}`,
        detail: patroniError,
      });
    }
    await moveIntoPlace(prefix, `${toolsDir}/patroni-${version}`);
    onProgress(`Patroni ${version} is in ${toolsDir}/patroni-${version}`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** As root, servers run as the user postgres: a directory that only root may enter is of no use to them. */
async function refuseHiddenDir(toolsDir: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  for (let path = toolsDir; ; path = dirname(path)) {
    if (((await stat(path)).mode & 0o001) === 0) {
      throw new RefusedError({
        code: 'tools-dir-hidden',
        message: `servers run as the user postgres, who may not enter ${path}`,
        hint: `chmod o+x ${path}   (or choose another directory)`,
      });
    }
    if (path === dirname(path)) return;
  }
}

/** The pinned file from the first mirror that has it; else what the release has now, checked by its signed index. */
async function fetchPackage(work: string, signal: AbortSignal): Promise<string> {
  const failures: string[] = [];
  const mirrors = await debianMirrors(signal);
  const attempts = [
    ...mirrors.map(mirror => ({ mirror, fetch: fetchPinned })),
    ...mirrors.map(mirror => ({ mirror, fetch: fetchCurrent })),
  ];
  for (const { mirror, fetch } of attempts) {
    try {
      return await fetch(mirror, work, signal);
    } catch (error) {
      signal.throwIfAborted();
      const detail = error instanceof PgherdError ? error.detail : undefined;
      failures.push(`${mirror}: ${detail ?? messageOf(error)}`);
    }
  }
  throw new PgherdError({
    code: 'patroni-unavailable',
    message: 'no Debian mirror gave an acceptable package of Patroni',
    detail: failures.join('\n'),
    hint: 'check that this machine reaches a Debian mirror: apt-get update',
  });
}

async function fetchPinned(mirror: string, work: string, signal: AbortSignal): Promise<string> {
  const file = `${work}/patroni.deb`;
  // apt's own downloader goes through the proxy that the machine is configured for, and checks the hash.
  const argv = ['/usr/lib/apt/apt-helper', 'download-file', `${mirror}/${PINNED.path}`, file] as const;
  await run([...argv, `SHA256:${PINNED.sha256}`], { signal, timeoutMs: FETCH_MS, env: APT_ENV });
  return file;
}

/**
 * The package that the release holds now, for the day the pinned one has left the pool. A private apt, which
 * knows this one source only and writes below `work` only; `apt-get download` checks the hash of the index,
 * whose signature `update` has checked. Exported for test/setup.
 * @public
 */
export async function fetchCurrent(mirror: string, work: string, signal: AbortSignal): Promise<string> {
  const root = `${work}/apt-${randomBytes(4).toString('hex')}`;
  for (const directory of ['lists/partial', 'archives/partial', 'sources.d']) {
    await mkdir(`${root}/${directory}`, { recursive: true });
  }
  await writeFile(`${root}/status`, '');
  await writeFile(`${root}/sources.list`, `deb [signed-by=${KEYRING}] ${mirror} ${RELEASE} main\n`);
  await writeFile(
    `${root}/apt.conf`,
    `Dir::Etc::sourcelist "${root}/sources.list";
Dir::Etc::sourceparts "${root}/sources.d";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State "${root}";
Dir::State::lists "${root}/lists";
Dir::State::status "${root}/status";
Dir::Cache "${root}";
Dir::Cache::archives "${root}/archives";
Acquire::Languages "none";
Acquire::Retries "3";
// What the machine does after its own updates is no business of this one.
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear Acquire::IndexTargets::deb::DEP-11;
#clear Acquire::IndexTargets::deb::DEP-11-icons-small;
#clear Acquire::IndexTargets::deb::DEP-11-icons;
`,
  );
  const apt = ['apt-get', '-q', '-c', `${root}/apt.conf`] as const;
  const options = { signal, timeoutMs: FETCH_MS, env: APT_ENV, cwd: root };
  await run([...apt, '-o', 'APT::Update::Error-Mode=any', 'update'], options);
  await run([...apt, 'download', 'patroni'], options);
  const deb = (await readdir(root)).find(name => name.endsWith('.deb'));
  if (deb === undefined)
    throw new PgherdError({ code: 'patroni-unavailable', message: 'nothing was downloaded' });
  return `${root}/${deb}`;
}

/** The upstream version of a package file; rejects when it is not one that is used. */
async function versionOfPackage(deb: string, signal: AbortSignal): Promise<string> {
  const { stdout } = await run(['dpkg-deb', '-f', deb, 'Version'], {
    signal,
    timeoutMs: 20_000,
    env: APT_ENV,
  });
  const version = versionIn(stdout) ?? '0';
  const objection = patroniObjection(version);
  if (objection !== undefined) {
    throw new RefusedError({
      code: 'patroni-refused',
      message: `Patroni ${version} is not used: ${objection}`,
    });
  }
  return version;
}

/** Whoever comes second with the same version finds it there. One that does not load is replaced. */
async function moveIntoPlace(prefix: string, target: string): Promise<void> {
  const old = `${dirname(prefix)}/old`;
  await rename(target, old).catch(ignoreAbsent);
  await rename(prefix, target).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  });
}

function ignoreAbsent(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
