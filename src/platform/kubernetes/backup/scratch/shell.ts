/** Programs of PostgreSQL in the pod of a restore. */
import { PgherdError } from '../../../../lib/errors.ts';
import type { KubeClient } from '../../api/client.ts';
import { type ExecResult, type ExecTarget, exec } from '../../api/exec.ts';
import { RESTORE_DIRECTORY } from '../../objects/layout.ts';

export const PLACES = {
  data: `${RESTORE_DIRECTORY}/pgdata`,
  tablespaces: `${RESTORE_DIRECTORY}/tablespaces`,
  config: `${RESTORE_DIRECTORY}/postgresql.conf`,
  hba: `${RESTORE_DIRECTORY}/pg_hba.conf`,
  ident: `${RESTORE_DIRECTORY}/pg_ident.conf`,
  /** postgresql.auto.conf of the backup, out of the way. */
  autoConfig: `${RESTORE_DIRECTORY}/postgresql.auto.conf`,
  log: `${RESTORE_DIRECTORY}/server.log`,
};

const SHORT_MS = 60_000;

/** The pod of one restore. */
export class RestoreShell {
  readonly client: KubeClient;
  readonly target: ExecTarget;

  constructor(client: KubeClient, target: ExecTarget) {
    this.client = client;
    this.target = target;
  }

  /** Runs a script with words as its arguments, `$1` and so on. Exit codes are results. */
  async try(
    script: string,
    words: string[],
    signal: AbortSignal,
    timeoutMs: number = SHORT_MS,
  ): Promise<ExecResult> {
    const command = ['env', 'LC_ALL=C.UTF-8', 'TZ=UTC', 'sh', '-c', script, 'sh', ...words];
    return await exec(this.client, this.target, command, { timeoutMs, signal });
  }

  /** The same; rejects with a PgherdError where the script fails. */
  async run(script: string, words: string[], signal: AbortSignal, timeoutMs?: number): Promise<string> {
    const { code, stdout, stderr } = await this.try(script, words, signal, timeoutMs);
    if (code === 0) return stdout;
    throw new PgherdError({
      code: 'scratch-failed',
      message: `a program in ${this.target.pod} ended with ${code}`,
      detail: `${stdout}\n${stderr}`.trim().slice(-1000),
    });
  }

  /** No secrets: the text stands among the arguments. */
  async writeFile(path: string, text: string, signal: AbortSignal): Promise<void> {
    await this.run('umask 077; printf %s "$2" >"$1"', [path, text], signal);
  }

  /** Empty where there is none. */
  async readFile(path: string, signal: AbortSignal): Promise<string> {
    return await this.run('if [ -e "$1" ]; then cat "$1"; fi', [path], signal);
  }
}
