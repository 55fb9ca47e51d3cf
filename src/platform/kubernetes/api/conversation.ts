import { DeadlineError, PgherdError } from '../../../lib/errors.ts';
import type { KubeClient } from './client.ts';
import { type ExecProcess, type ExecTarget, start } from './exec.ts';

/** The shell at the other end has ended, or the way to it. */
export class ConversationEndedError extends PgherdError {}

/**
 * A bash in a container that answers each line with one line, in order. It sees the end of its input when we close the
 * conversation or die, and is to end by itself then.
 */
export class Conversation implements AsyncDisposable {
  readonly #process: ExecProcess;
  readonly #place: string;
  readonly #waiting: { resolve(line: string): void; reject(error: unknown): void }[] = [];
  #read = 0;
  #over: unknown;

  private constructor(process: ExecProcess, place: string) {
    this.#process = process;
    this.#place = place;
    process.onStdout(output => this.#take(output));
    process.ended.then(
      ({ code, stderr }) => this.#end(`it ended with ${code}: ${stderr.trim().slice(-300)}`),
      error => this.#end('the connection broke off', error),
    );
  }

  /** Starts the script; `words` are its $1, $2, … Secrets never belong there. */
  static async open(
    client: KubeClient,
    target: ExecTarget,
    script: string,
    words: readonly string[],
    signal: AbortSignal,
  ): Promise<Conversation> {
    const process = await start(client, target, ['bash', '-c', script, 'pgherd', ...words], signal);
    return new Conversation(process, `${target.namespace}/${target.pod}`);
  }

  /** Neither side has ended it. */
  get alive(): boolean {
    return this.#over === undefined;
  }

  /** Rejects when no answer comes in time; the conversation is of no use any more then, and is closed. */
  async ask(line: string, timeoutMs: number): Promise<string> {
    if (this.#over !== undefined) throw this.#over;
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    this.#waiting.push({ resolve, reject });
    this.#process.write(`${line}\n`);
    const timer = setTimeout(() => {
      this.#end('it did not answer', new DeadlineError(`an answer of ${this.#place}`, timeoutMs));
      void this[Symbol.asyncDispose]();
    }, timeoutMs);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end('it was closed');
    await this.#process[Symbol.asyncDispose]();
  }

  #take(output: string): void {
    for (;;) {
      const end = output.indexOf('\n', this.#read);
      if (end < 0) return;
      const line = output.slice(this.#read, end);
      this.#read = end + 1;
      this.#waiting.shift()?.resolve(line);
    }
  }

  #end(detail: string, cause?: unknown): void {
    const message = `the conversation with ${this.#place} is over`;
    this.#over ??= new ConversationEndedError({ code: 'conversation-ended', message, detail, cause });
    for (const { reject } of this.#waiting.splice(0)) reject(this.#over);
  }
}
