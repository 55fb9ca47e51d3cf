/** The local platform: clusters on this machine, all below one state directory. */
import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseManifest } from '../../core/manifest/parse.ts';
import type { ClusterSpec } from '../../core/manifest/spec.ts';
import { codeOf, PgherdError, RefusedError } from '../../lib/errors.ts';
import { readIfExists } from '../../lib/files.ts';
import type { ClusterRef, PlacementOptions, Platform, PlatformCluster } from '../contract.ts';
import { checkRepositories, refuseTaken } from './backup/repositories.ts';
import { expiryNotes } from './certificates.ts';
import { LocalCluster } from './cluster.ts';
import { networkTaken, refuseWithoutNamespaces, refuseWithoutRoot } from './hosts.ts';
import { Keeper } from './keeperService.ts';
import { clusterPaths, clusterRoot, type Place } from './layout.ts';
import { parametersOf } from './memberService.ts';
import { readRoutes, refuseForeignLink } from './network.ts';
import { checkParameters, sweepScratch } from './parameters.ts';
import {
  bytesOf,
  checkVersions,
  isolationNotes,
  placed,
  programsOf,
  serviceUser,
  versionNotes,
} from './placement.ts';
import {
  checkListen,
  checkRoom,
  checkSocketPath,
  checkStateDirectory,
  chooseSubnet,
  firstTaken,
  LOOPBACK,
  listeners,
  portTaken,
} from './preflight.ts';
import { type ClusterRecord, readRecord, StateError } from './record.ts';
import { listServices, serviceStatus } from './runit.ts';
import { inspectTools, installTools, isolationPrograms, isReady, type Tools } from './setup/index.ts';
import { volumeObstacle, volumeSize } from './volumes.ts';

const DEFAULT_PORT = 5432;

export interface LocalPlatformOptions {
  stateDir: string;
  /** Where Patroni is unpacked; undefined: below the state directory. */
  toolsDir: string | undefined;
  /** Runs `main` for the resident control plane. */
  launch: { node: string; main: string };
  onSetup(message: string): void;
}

/** No cluster of this name and namespace. */
export class ClusterNotFoundError extends RefusedError {}

export function createLocalPlatform(options: LocalPlatformOptions): Platform {
  const { stateDir } = options;
  const keeper = new Keeper(stateDir, options.launch, async () => {
    const records = await readableRecords(stateDir);
    if (records.some(record => !record.stopped)) return 'running';
    return (await allClusters(stateDir)).length > 0 ? 'stopped' : 'none';
  });

  async function open(ref: ClusterRef): Promise<PlatformCluster> {
    const record = await readRecord(recordPath(stateDir, ref));
    if (record === undefined) throw await notFound(ref);
    const paths = clusterPaths(stateDir, ref.namespace, ref.name, record.subnet);
    const manifest = await readIfExists(paths.manifest);
    const parsed = manifest === undefined ? undefined : parseManifest(manifest, { platform: 'local' });
    if (manifest === undefined || parsed === undefined || !parsed.ok) {
      throw new StateError({
        code: 'state-unreadable',
        message: `the manifest kept in ${paths.manifest} is missing or not valid any more`,
        hint: 'run `pgherd up` with the manifest: the data are untouched',
      });
    }
    return new LocalCluster({
      stateDir,
      record,
      spec: parsed.spec,
      manifest,
      notes: [...placementNotes(parsed.spec, record), ...(await expiryNotes(paths.tls, new Date()))],
      keeper,
    });
  }

  async function notFound(ref: ClusterRef): Promise<ClusterNotFoundError> {
    const known = (await allClusters(stateDir)).map(other => `${other.namespace}/${other.name}`);
    return new ClusterNotFoundError({
      code: 'no-such-cluster',
      message: `there is no cluster ${ref.namespace}/${ref.name} below ${stateDir}`,
      hint: known.length > 0 ? `clusters here: ${known.join(', ')}` : 'create one with: pgherd up MANIFEST',
    });
  }

  async function adopt(
    spec: ClusterSpec,
    manifest: string,
    placement: PlacementOptions,
    signal: AbortSignal,
  ): Promise<PlatformCluster> {
    const known = await readRecord(recordPath(stateDir, spec));
    const isolated = known?.isolated ?? placement.isolate === true;
    if (isolated) refuseWithoutRoot();
    const tools = await provideTools(spec, known, isolated, placement.readOnly === true, signal);
    const user = serviceUser();
    if (placement.readOnly !== true) await checkStateDirectory(stateDir, user);
    checkListen(placement.listen);
    const record =
      known === undefined
        ? await newRecord(spec, placement, tools, user, signal)
        : { ...known, ...placed(known, placement), programs: programsOf(tools) };
    const paths = clusterPaths(stateDir, spec.namespace, spec.name, record.subnet);
    checkSocketPath(paths.run);
    checkRepositories(spec, record);
    if (known === undefined && placement.fromBackup !== true) await refuseTaken(spec, paths);
    await checkVersions(spec, record, placement, paths.data);
    if (known === undefined || (known.stopped && !(await anyRunning(paths.services)))) {
      const taken = await firstTaken(listeners(spec, record, record.port, record.listen));
      if (taken !== undefined) throw portTaken(taken);
      if (known?.isolated === true) {
        await refuseForeignLink(record, signal);
        const obstacle = networkTaken(
          record,
          await readRoutes(isolationPrograms(record.programs), signal),
          'ours',
        );
        if (obstacle !== undefined) throw obstacle;
      }
    }
    const notes = placementNotes(spec, record);
    const parameters = parametersOf(spec, record, paths);
    if ((await readIfExists(paths.manifest)) !== manifest) {
      const parent = placement.readOnly === true ? tmpdir() : stateDir;
      if (parent === stateDir) await sweepScratch(parent);
      await checkParameters(parameters, record, parent, signal);
      if (known === undefined || known.stopped)
        notes.push(...(await checkRoom(spec, stateDir, bytesOf(parameters.shared_buffers ?? ''))));
    }
    return new LocalCluster({ stateDir, record, spec, manifest, notes, keeper });
  }

  async function provideTools(
    spec: ClusterSpec,
    known: ClusterRecord | undefined,
    isolation: boolean,
    readOnly: boolean,
    signal: AbortSignal,
  ): Promise<Tools> {
    const majorWanted = known?.postgres.major ?? Number(spec.version);
    const toolsDir = options.toolsDir ?? join(stateDir, 'tools');
    let report = await inspectTools({ majorWanted, toolsDir, isolation, signal });
    if (!isReady(report) && readOnly) {
      throw new RefusedError({
        code: 'tools-missing',
        message: `not installed yet: ${report.missing.map(item => item.tool).join(', ')}`,
        hint: 'run `pgherd setup` (or `pgherd up`, which does it): a plan installs nothing',
      });
    }
    if (!isReady(report)) {
      report = await installTools(report, { onProgress: options.onSetup, signal });
    }
    if (!isReady(report)) {
      throw new PgherdError({
        code: 'tools-missing',
        message: `these are still missing after the installation: ${report.missing.map(item => item.tool).join(', ')}`,
        hint: 'run `pgherd setup --verbose`',
      });
    }
    return report.tools;
  }

  async function newRecord(
    spec: ClusterSpec,
    placement: PlacementOptions,
    tools: Tools,
    user: ClusterRecord['serviceUser'],
    signal: AbortSignal,
  ): Promise<ClusterRecord> {
    signal.throwIfAborted();
    const port = placement.port ?? DEFAULT_PORT;
    const listen = placement.listen === LOOPBACK ? undefined : placement.listen;
    const used = (await readableRecords(stateDir)).map(record => record.subnet);
    const key = `${stateDir}:${spec.namespace}/${spec.name}`;
    const isolated = placement.isolate === true;
    if (isolated) await refuseWithoutNamespaces(isolationPrograms(tools), signal);
    const routes = isolated ? await readRoutes(isolationPrograms(tools), signal) : [];
    const obstacle = (place: Place) => (isolated ? networkTaken(place, routes, 'nobody') : undefined);
    return {
      schema: 1,
      name: spec.name,
      namespace: spec.namespace,
      subnet: await chooseSubnet(spec, { port, listen, key, used, isolated, obstacle }),
      port,
      listen,
      createdAt: new Date().toISOString(),
      stopped: false,
      isolated,
      volumeBytes: isolated ? await volumeBytesOf(spec, placement, tools, signal) : 0,
      drillsAllowed: placement.allowDrills === true,
      uid: randomUUID(),
      wantedVersion: spec.version,
      serviceUser: user,
      postgres: tools.postgres,
      programs: programsOf(tools),
    };
  }

  /** 0 where this machine mounts no images, as in most containers. */
  async function volumeBytesOf(
    spec: ClusterSpec,
    placement: PlacementOptions,
    tools: Tools,
    signal: AbortSignal,
  ): Promise<number> {
    const parent = placement.readOnly === true ? tmpdir() : stateDir;
    const obstacle = await volumeObstacle(isolationPrograms(tools), parent, signal);
    return obstacle === undefined ? volumeSize(spec.volume.sizeBytes) : 0;
  }

  return {
    open,
    adopt,
    list: () => allClusters(stateDir),
  };
}

function placementNotes(spec: ClusterSpec, record: ClusterRecord): string[] {
  return [...versionNotes(spec, record), ...isolationNotes(spec, record)];
}

/** Servers of a cluster that was not stopped to the end hold its ports themselves. */
async function anyRunning(services: string): Promise<boolean> {
  const names = await listServices(services);
  const states = await Promise.all(names.map(name => serviceStatus(services, name)));
  return states.some(state => state.running);
}

/** Every cluster of the state directory, whether its record can be read or not. */
async function allClusters(stateDir: string): Promise<ClusterRef[]> {
  const clusters = join(stateDir, 'clusters');
  const namespaces = (await listDirectory(clusters)).sort();
  const refs = await Promise.all(
    namespaces.map(async namespace => {
      const names = (await listDirectory(join(clusters, namespace))).sort();
      return names.map(name => ({ name, namespace }));
    }),
  );
  const exists = await Promise.all(
    refs.flat().map(ref => readIfExists(recordPath(stateDir, ref)).then(text => text !== undefined)),
  );
  return refs.flat().filter((_, n) => exists[n]);
}

/** Empty when there is no such directory; one that may not be read is an error. */
async function listDirectory(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(cause) ?? '')) return [];
    throw new StateError({
      code: 'state-unreadable',
      message: `${path} cannot be read (${codeOf(cause) ?? 'unknown error'})`,
      hint: 'run pgherd as the user that made the clusters, or name another state directory with --state-dir',
      cause,
    });
  }
}

/** Records that can be read: what is wrong with another cluster's is for that cluster to say. */
async function readableRecords(stateDir: string): Promise<ClusterRecord[]> {
  const refs = await allClusters(stateDir);
  const records = await Promise.all(
    refs.map(ref => readRecord(recordPath(stateDir, ref)).catch(() => undefined)),
  );
  return records.filter(record => record !== undefined);
}

function recordPath(stateDir: string, ref: ClusterRef): string {
  return join(clusterRoot(stateDir, ref.namespace, ref.name), 'cluster.json');
}
