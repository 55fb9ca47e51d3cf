/**
 * What the member's own host says of its PostgreSQL: a shell in its container, by exec, so through the API server and the
 * kubelet. For doubt only: it is opened with this object and ends with it.
 */
import { DeadlineError } from '../../../lib/errors.ts';
import { Repeated } from '../../../lib/repeated.ts';
import { withDeadline } from '../../../lib/time.ts';
import type { SenseSample } from '../../contract.ts';
import type { KubeClient } from '../api/client.ts';
import { Conversation } from '../api/conversation.ts';
import type { ExecTarget } from '../api/exec.ts';
import { DATA_DIRECTORY } from '../objects/layout.ts';
import { HOST_SCRIPT, hostLookOf } from './hostScript.ts';

const LOOK_EVERY_MS = 150;
const TRY_EVERY_MS = 500;
const REOPEN_MS = 500;
/** On a busy machine an exec takes seconds: one that is given up has cost as much. */
const OPEN_MS = 10_000;
const ANSWER_MS = 800;
const KILL_MS = 3_000;

type Word = Pick<SenseSample, 'process' | 'newConnection' | 'commit'>;

export class HostWord implements Disposable {
  readonly #client: KubeClient;
  readonly #target: ExecTarget;
  readonly #now: () => number;
  readonly #stop = new AbortController();
  readonly #asked: Repeated<void>;
  #opening: Promise<Conversation> | undefined;
  #asks = true;
  #openedAt = Number.NEGATIVE_INFINITY;
  #triedAt = Number.NEGATIVE_INFINITY;
  /** Of the last answer; undefined: there was none yet. */
  #heardAt: number | undefined;
  #process: Word['process'];
  #login: Word['newConnection'];
  #commit: Word['commit'];

  constructor(client: KubeClient, target: ExecTarget, now: () => number) {
    this.#client = client;
    this.#target = target;
    this.#now = now;
    this.#asked = new Repeated(LOOK_EVERY_MS, now, () => this.#ask());
  }

  /** Asks from now on, or leaves its servers in peace. */
  listen(asks: boolean): void {
    this.#asks = asks;
  }

  /** Each word about the process is told once. `unknown`: nobody has answered lately. */
  take(): Word {
    const silent = this.#heardAt === undefined || this.#now() - this.#heardAt > ANSWER_MS;
    const process = this.#process ?? (silent ? 'unknown' : undefined);
    this.#process = undefined;
    if (silent) this.#commit = undefined;
    return { process, newConnection: this.#login, commit: this.#commit };
  }

  /**
   * Kills PostgreSQL with all its processes. Resolves with whether there was anything to kill: false also where nobody
   * could be told to. Rejects when it is not known.
   */
  async kill(): Promise<boolean> {
    const shell = await this.#shell().catch(() => undefined);
    return shell !== undefined && (await shell.ask('kill', KILL_MS)) === 'killed';
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    this.#asked[Symbol.dispose]();
    void this.#opening?.then(shell => shell[Symbol.asyncDispose]()).catch(() => {});
  }

  async #ask(): Promise<void> {
    if (!this.#asks) return;
    try {
      const shell = await this.#shell();
      const at = this.#now();
      const tries = at - this.#triedAt >= TRY_EVERY_MS;
      if (tries) this.#triedAt = at;
      const look = hostLookOf(await shell.ask(tries ? 'try' : 'look', ANSWER_MS));
      if (look === undefined) return;
      this.#heardAt = this.#now();
      this.#process = look.process;
      if (look.login !== undefined) this.#login = { succeeded: look.login, endedAt: this.#heardAt };
      if (look.commit === 'runs' && this.#commit?.state !== 'running') {
        this.#commit = { state: 'running', since: at };
      } else if (look.commit !== 'runs') this.#commit = look.commit && { state: 'finished' };
    } catch {
      // Nobody answers: what `take` makes of it.
    }
  }

  async #shell(): Promise<Conversation> {
    const open = await this.#opening?.catch(() => undefined);
    if (open?.alive === true) return open;
    if (this.#now() - this.#openedAt < REOPEN_MS) {
      throw new DeadlineError(`a shell in ${this.#target.pod}`, REOPEN_MS);
    }
    this.#openedAt = this.#now();
    this.#opening = this.#converse();
    return await this.#opening;
  }

  async #converse(): Promise<Conversation> {
    // The deadline is that of the opening: the conversation outlives it.
    using signal = withDeadline(this.#stop.signal, `a shell in ${this.#target.pod}`, OPEN_MS);
    const shell = await Conversation.open(this.#client, this.#target, HOST_SCRIPT, [DATA_DIRECTORY], signal);
    try {
      await shell.ask('hello', OPEN_MS);
      return shell;
    } catch (error) {
      await shell[Symbol.asyncDispose]();
      throw error;
    }
  }
}
