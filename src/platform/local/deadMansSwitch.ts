/**
 * Lets clients go on when whoever holds them dies, or after the limit: a shell that reads from a pipe of ours. The kernel
 * closes the pipe with us, whatever ends us. To start it takes longer than to hold clients: one waits beforehand.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { codeOf, PgherdError } from '../../lib/errors.ts';

/** Whom SIGUSR2 lets go on: it is PgBouncer's RESUME, and a reload to HAProxy. Files with their process ids. */
export interface Held {
  poolers: readonly string[];
  door: string;
}

/**
 * Its words: the door's file, then the poolers'. What it reads: seconds, and whether the door is shut as well. To strike it
 * has to start nothing.
 */
const SCRIPT = `
read -r seconds door || exit 0
[ "$door" = shut ] || shift
timeout --foreground "$seconds" cat >/dev/null
for file; do
  pid=
  read -r pid 2>/dev/null <"$file"
  [ -n "$pid" ] && kill -USR2 "$pid" 2>/dev/null
done
`;

export class DeadMansSwitch {
  readonly #child: ChildProcess;
  readonly #held: Held;
  #alive = true;

  /** Does nothing until it is armed, and ends with us. */
  constructor(held: Held) {
    this.#held = held;
    this.#child = spawn('sh', ['-c', SCRIPT, 'pgherd-resume', held.door, ...held.poolers], {
      // A Ctrl-C is not for it.
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const end = () => {
      this.#alive = false;
    };
    this.#child.on('error', end).on('exit', end);
    // There is none where this machine has no files or processes to spare.
    this.#child.stdin?.on('error', () => {});
    this.#child.unref();
  }

  /** It waits for these, and is there. */
  isFor({ poolers, door }: Held): boolean {
    const same = [door, ...poolers].join('\n') === [this.#held.door, ...this.#held.poolers].join('\n');
    return this.#alive && same;
  }

  /** From when this returns on, it lets clients go on after so long at the latest. Throws where it could not be started. */
  arm({ limitMs, shut }: { limitMs: number; shut: boolean }): void {
    const { pid, stdin } = this.#child;
    if (pid === undefined || stdin === null || !this.#alive) {
      throw new PgherdError({
        code: 'clients-not-held',
        message: 'clients are not held back: what would let them go on could not be started',
        hint: 'this machine starts no more processes: see `ulimit -u`, pids.max and free memory',
      });
    }
    // Zero would be no limit.
    stdin.write(`${Math.max(1, limitMs) / 1000} ${shut ? 'shut' : 'open'}\n`);
  }

  /** Ends it with all it has started. */
  disarm(): void {
    const { pid } = this.#child;
    if (pid === undefined || !this.#alive) return;
    this.#alive = false;
    try {
      process.kill(-pid, 'SIGTERM');
    } catch (error) {
      // It has struck and ended.
      if (codeOf(error) !== 'ESRCH') throw error;
    }
  }
}
