import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { codeOf, messageOf, PgherdError } from '../../../lib/errors.ts';

/** How one API server is reached and who we are there. Files are read again when they may have been renewed. */
export interface Access {
  server: string;
  namespace: string;
  tls: { ca?: string; cert?: string; key?: string; servername?: string; rejectUnauthorized?: boolean };
  credentials:
    | { kind: 'none' }
    | { kind: 'token'; token: string }
    | { kind: 'token-file'; path: string }
    | { kind: 'basic'; username: string; password: string }
    | { kind: 'exec'; plugin: ExecPlugin };
}

const execPlugin = z.object({
  apiVersion: z.string().default('client.authentication.k8s.io/v1'),
  command: z.string(),
  args: z.array(z.string()).nullish(),
  env: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
});

export type ExecPlugin = z.infer<typeof execPlugin>;

const text = z.string().optional();

const kubeconfig = z.object({
  'current-context': text,
  contexts: z
    .array(
      z.object({ name: z.string(), context: z.object({ cluster: z.string(), user: text, namespace: text }) }),
    )
    .nullish(),
  clusters: z
    .array(
      z.object({
        name: z.string(),
        cluster: z.object({
          server: z.string(),
          'certificate-authority': text,
          'certificate-authority-data': text,
          'tls-server-name': text,
          'insecure-skip-tls-verify': z.boolean().optional(),
          'proxy-url': text,
        }),
      }),
    )
    .nullish(),
  users: z
    .array(
      z.object({
        name: z.string(),
        user: z
          .object({
            'client-certificate': text,
            'client-certificate-data': text,
            'client-key': text,
            'client-key-data': text,
            token: text,
            tokenFile: text,
            username: text,
            password: text,
            exec: execPlugin.nullish(),
            'auth-provider': z.unknown().optional(),
          })
          .nullish(),
      }),
    )
    .nullish(),
});

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

export interface AccessOptions {
  /** Path; undefined: KUBECONFIG or ~/.kube/config, and inside a pod its ServiceAccount. */
  kubeconfig: string | undefined;
  /** undefined: the kubeconfig's current one. */
  context: string | undefined;
  env: Readonly<Record<string, string | undefined>>;
}

/** Finds the way to the API server. Rejects with PgherdError where there is none, or one that we cannot go. */
export async function findAccess(options: AccessOptions): Promise<Access> {
  if (isInsidePod(options)) return insidePod(options.env);
  return fromFile(fileOf(options) ?? join(homedir(), '.kube', 'config'), options.context);
}

/** Whether we go by a pod's ServiceAccount: then other pods can be reached, too. */
export function isInsidePod(options: AccessOptions): boolean {
  const { context, env } = options;
  return fileOf(options) === undefined && context === undefined && env.KUBERNETES_SERVICE_HOST !== undefined;
}

function fileOf({ kubeconfig, env }: AccessOptions): string | undefined {
  return kubeconfig ?? env.KUBECONFIG?.split(delimiter).find(path => path !== '');
}

async function insidePod(env: AccessOptions['env']): Promise<Access> {
  const host = env.KUBERNETES_SERVICE_HOST ?? '';
  const port = env.KUBERNETES_SERVICE_PORT ?? '443';
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    namespace: (await readFile(join(SERVICE_ACCOUNT, 'namespace'), 'utf8')).trim(),
    tls: { ca: await readFile(join(SERVICE_ACCOUNT, 'ca.crt'), 'utf8') },
    credentials: { kind: 'token-file', path: join(SERVICE_ACCOUNT, 'token') },
  };
}

async function fromFile(path: string, wanted: string | undefined): Promise<Access> {
  const config = await readConfig(path);
  const contexts = config.contexts ?? [];
  const name = wanted ?? config['current-context'];
  const context = contexts.find(item => item.name === name)?.context;
  if (context === undefined) {
    const known = contexts.map(item => item.name).join(', ');
    throw new PgherdError({
      code: 'unknown-context',
      message: `the kubeconfig ${path} has no context "${name ?? ''}"`,
      hint: known === '' ? 'it has none at all' : `it has: ${known}`,
    });
  }
  const cluster = config.clusters?.find(item => item.name === context.cluster)?.cluster;
  if (cluster === undefined) throw unusable(path, `it has no cluster "${context.cluster}"`);
  if (cluster['proxy-url'] !== undefined) throw unusable(path, 'proxy-url is not supported');
  const user = config.users?.find(item => item.name === context.user)?.user ?? {};
  const base = dirname(resolve(path));
  const part = async (data: string | undefined, file: string | undefined) => {
    if (data !== undefined && data !== '') return Buffer.from(data, 'base64').toString('utf8');
    return file === undefined || file === '' ? undefined : readFile(resolve(base, file), 'utf8');
  };
  const ca = await part(cluster['certificate-authority-data'], cluster['certificate-authority']);
  const cert = await part(user['client-certificate-data'], user['client-certificate']);
  const key = await part(user['client-key-data'], user['client-key']);
  const servername = cluster['tls-server-name'];
  return {
    server: cluster.server,
    namespace: context.namespace ?? 'default',
    tls: {
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
      ...(servername !== undefined && { servername }),
      ...(cluster['insecure-skip-tls-verify'] === true && { rejectUnauthorized: false }),
    },
    credentials: credentialsOf(user, base, path),
  };
}

type KubeUser = NonNullable<NonNullable<z.infer<typeof kubeconfig>['users']>[number]['user']>;

function credentialsOf(user: KubeUser, base: string, path: string): Access['credentials'] {
  if (user.tokenFile !== undefined) return { kind: 'token-file', path: resolve(base, user.tokenFile) };
  if (user.token !== undefined && user.token !== '') return { kind: 'token', token: user.token };
  if (user.exec !== undefined && user.exec !== null) return { kind: 'exec', plugin: user.exec };
  if (user.username !== undefined)
    return { kind: 'basic', username: user.username, password: user.password ?? '' };
  if (user['auth-provider'] !== undefined && user['auth-provider'] !== null)
    throw unusable(
      path,
      'auth-provider is not supported (Kubernetes dropped it in 1.26): use an exec plugin',
    );
  return { kind: 'none' };
}

async function readConfig(path: string): Promise<z.infer<typeof kubeconfig>> {
  try {
    return kubeconfig.parse(parse(await readFile(path, 'utf8')));
  } catch (cause) {
    throw new PgherdError({
      code: 'kubeconfig-unreadable',
      message: `cannot read the kubeconfig ${path}`,
      detail: codeOf(cause) === 'ENOENT' ? 'there is no such file' : messageOf(cause),
      hint: 'name another one with --kubeconfig',
      cause,
    });
  }
}

function unusable(path: string, detail: string): PgherdError {
  return new PgherdError({
    code: 'kubeconfig-unusable',
    message: `the kubeconfig ${path} cannot be used`,
    detail,
    hint: 'name another one with --kubeconfig, or another context with --context',
  });
}
