/** What the rendering of every server shares: the shape of the result, addresses, certificates, scripts. */
import { join } from 'node:path';
import type { ClusterSpec, EndpointName } from '../../core/manifest/spec.ts';
import type { ComponentKind } from '../../core/topology/observation.ts';
import {
  endpointAddress,
  endpointPorts,
  namespacePath,
  networkNames,
  ordinalOf,
  type Paths,
} from './layout.ts';
import type { ClusterRecord } from './record.ts';
import { RUNNING_LOCK, type ServiceScripts, URGENT } from './runit.ts';
import { isolationPrograms } from './setup/index.ts';

export interface RenderedFile {
  path: string;
  text: string;
  /** What counts as a change, where that is not the whole text. */
  identity?: string;
  /** What the server must do to notice a change. */
  onChange: 'reload' | 'restart';
}

export interface Service {
  name: string;
  kind: ComponentKind;
  files: RenderedFile[];
  scripts: ServiceScripts;
  /** runit's letter that makes the server read its files again; undefined: it can only be restarted. */
  reload: 'h' | '2' | undefined;
}

export interface RenderInput {
  spec: ClusterSpec;
  record: ClusterRecord;
  paths: Paths;
  /** Passwords by user name. */
  passwords: Record<string, string>;
  /** Fingerprint of each certificate: a renewed one counts as a change of its server's files. */
  certificates: Record<string, string>;
}

/** What the rendering of one kind of server gives; its name and kind are known to the caller. */
export type Parts = Pick<Service, 'files' | 'scripts' | 'reload'>;

/** Addresses where an endpoint listens: loopback always, the listen address when the manifest exposes it. */
export function listenAddresses(record: ClusterRecord, exposed: boolean): string[] {
  return [endpointAddress(record.subnet), ...(exposed && record.listen !== undefined ? [record.listen] : [])];
}

/** Where clients reach an endpoint; undefined: the manifest asks for none. */
export function endpointOf(
  spec: ClusterSpec,
  record: ClusterRecord,
  name: EndpointName,
): { host: string; port: number } | undefined {
  const { primary, standby } = spec.pooler;
  const wanted = { primary: true, standby: true, pooler: primary, poolerStandby: standby }[name];
  const host = listenAddresses(record, spec.exposed[name]).at(-1);
  return wanted && host !== undefined ? { host, port: endpointPorts(record.port)[name] } : undefined;
}

/** Prefix of the keys of the cluster's namespace in the DCS; Patroni appends the cluster's name. */
export function dcsNamespace(spec: ClusterSpec): string {
  return `/pgherd/${spec.namespace}/`;
}

export function memberSocketDir(paths: Paths, name: string): string {
  return join(paths.run, `member-${ordinalOf(name)}`);
}

export function tlsFiles(paths: Paths, name: string): { ca: string; cert: string; key: string } {
  return {
    ca: join(paths.tls, 'ca.crt'),
    cert: join(paths.tls, `${name}.crt`),
    key: join(paths.tls, `${name}.key`),
  };
}

/**
 * The run script: as the servers' user, with the lock that tells who the server is (RUNNING_LOCK). `host`: number of
 * the host that it is on, where members are isolated. `urgent`: a voter that waits for its turn is one that is missing, and
 * in a failover all clients log in at once while the poolers and the proxy have to be told where.
 */
export function scripts(
  name: string,
  record: ClusterRecord,
  paths: Paths,
  argv: string[],
  options: { env?: Record<string, string>; host?: number; volume?: string; urgent?: boolean } = {},
): ServiceScripts {
  const { chpst, svlogd } = record.programs;
  const user = `-u ${record.serviceUser.name}:${record.serviceUser.name}`;
  const drop = process.getuid?.() === 0 ? `${chpst} ${user} ` : '';
  const { env = {} } = options;
  const host = record.isolated ? options.host : undefined;
  const namespace = host === undefined ? undefined : networkNames(record).host(host);
  const volume = record.volumeBytes > 0 ? options.volume : undefined;
  const inside =
    namespace === undefined
      ? ''
      : `${isolationPrograms(record.programs).nsenter} --net=${namespacePath(namespace)} -- `;
  const exports = Object.entries(env).map(([key, value]) => `export ${key}=${quote(value)}`);
  return {
    run: [
      '#!/bin/sh',
      `# ${name} of ${record.namespace}/${record.name}. Rendered by pgherd; edits are overwritten.`,
      'exec 2>&1',
      ...exports,
      ...(namespace === undefined ? [] : needs(`[ -e ${namespacePath(namespace)} ]`, `network ${namespace}`)),
      ...(volume === undefined ? [] : needs(`mountpoint -q ${quote(volume)}`, `volume on ${volume}`)),
      'ulimit -n "$(ulimit -Hn)" 2>/dev/null',
      `exec ${inside}${chpst} -l ${RUNNING_LOCK} ${options.urgent === true ? URGENT : ''}${drop}${argv.map(quote).join(' ')}`,
      '',
    ].join('\n'),
    log: `#!/bin/sh\nexec ${drop}${svlogd} -ttt ${quote(join(paths.logs, name))}\n`,
  };
}

/** Ends the script where what a member stands on is not there; runit tries again every second. */
function needs(test: string, what: string): string[] {
  const line = `pgherd: there is no ${what}: \`pgherd up\` with the manifest makes it`;
  return [`${test} || { echo ${quote(line)}; exit 1; }`];
}

function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
