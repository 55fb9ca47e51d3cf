import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { messageOf, PgherdError } from '../../../lib/errors.ts';
import { run } from '../../../lib/exec.ts';
import type { Access, ExecPlugin } from './kubeconfig.ts';

/** What a request carries to say who we are. */
export interface Identity {
  authorization: string | undefined;
  /** A client certificate that a plugin gave; undefined: the one of the kubeconfig, if any. */
  cert?: string | undefined;
  key?: string | undefined;
}

/** Token files are renewed by the kubelet about every hour. */
const FILE_MS = 60_000;
/** A plugin's answer without a date is asked for anew after this time. */
const PLUGIN_MS = 10 * 60_000;
const PLUGIN_DEADLINE_MS = 30_000;

const execCredential = z.object({
  status: z.object({
    token: z.string().optional(),
    clientCertificateData: z.string().optional(),
    clientKeyData: z.string().optional(),
    expirationTimestamp: z.string().optional(),
  }),
});

/** Finds the credentials for each request: short-lived ones are kept until they may have been renewed. */
export class Credentials {
  readonly #access: Access;
  #known: { identity: Identity; until: number } | undefined;

  constructor(access: Access) {
    this.#access = access;
  }

  /** The server did not accept them: the next request asks anew. */
  forget(): void {
    this.#known = undefined;
  }

  async identity(signal: AbortSignal): Promise<Identity> {
    if (this.#known !== undefined && Date.now() < this.#known.until) return this.#known.identity;
    this.#known = await this.#find(signal);
    return this.#known.identity;
  }

  async #find(signal: AbortSignal): Promise<{ identity: Identity; until: number }> {
    const { credentials } = this.#access;
    const never = Number.POSITIVE_INFINITY;
    switch (credentials.kind) {
      case 'none':
        return { identity: { authorization: undefined }, until: never };
      case 'token':
        return { identity: { authorization: `Bearer ${credentials.token}` }, until: never };
      case 'basic': {
        const pair = Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64');
        return { identity: { authorization: `Basic ${pair}` }, until: never };
      }
      case 'token-file': {
        const token = (await readFile(credentials.path, 'utf8')).trim();
        return { identity: { authorization: `Bearer ${token}` }, until: Date.now() + FILE_MS };
      }
      case 'exec':
        return askPlugin(credentials.plugin, signal);
    }
  }
}

async function askPlugin(
  { apiVersion, command, args, env }: ExecPlugin,
  signal: AbortSignal,
): Promise<{ identity: Identity; until: number }> {
  const info = JSON.stringify({ apiVersion, kind: 'ExecCredential', spec: { interactive: false } });
  const extra = Object.fromEntries((env ?? []).map(({ name, value }) => [name, value]));
  try {
    const { stdout } = await run([command, ...(args ?? [])], {
      signal,
      timeoutMs: PLUGIN_DEADLINE_MS,
      env: { ...process.env, ...extra, KUBERNETES_EXEC_INFO: info },
    });
    const { status } = execCredential.parse(JSON.parse(stdout));
    const until =
      status.expirationTimestamp === undefined
        ? Date.now() + PLUGIN_MS
        : Date.parse(status.expirationTimestamp) - FILE_MS;
    return {
      identity: {
        authorization: status.token === undefined ? undefined : `Bearer ${status.token}`,
        cert: status.clientCertificateData,
        key: status.clientKeyData,
      },
      until,
    };
  } catch (cause) {
    signal.throwIfAborted();
    throw new PgherdError({
      code: 'kubernetes-credentials',
      message: `the kubeconfig's plugin ${command} gave no credentials`,
      detail: messageOf(cause),
      hint: 'run it by hand, or log in anew',
      cause,
    });
  }
}
