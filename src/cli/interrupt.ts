import { DeadlineError, PgherdError } from '../lib/errors.ts';
import type { Output } from './output.ts';
import type { SignalName, Surroundings } from './surroundings.ts';

const NUMBERS: Readonly<Record<SignalName, number>> = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

/** The user, or whoever stops us, asked for the end of the command. */
export class InterruptedError extends PgherdError {
  readonly exitCode: number;

  constructor(name: SignalName) {
    super({ code: 'interrupted', message: name === 'SIGINT' ? 'interrupted' : `stopped by ${name}` });
    this.exitCode = 128 + NUMBERS[name];
  }
}

/** Nobody reads our output any more. */
export class ReaderGoneError extends PgherdError {
  constructor() {
    super({ code: 'reader-gone', message: 'nobody reads the output any more' });
  }
}

/**
 * One signal for all reasons to stop early: Ctrl-C, TERM, the deadline, a reader that went away. The first
 * Ctrl-C asks the command to stop in order, the second one ends the process on the spot.
 */
export class Interrupt implements Disposable {
  private readonly controller = new AbortController();
  private readonly undo: (() => void)[] = [];
  private handedOver = false;

  /** @param announce whether an end in order takes long enough to be worth a line. */
  constructor(surroundings: Surroundings, output: Output, announce: boolean) {
    output.onReaderGone = () => this.controller.abort(new ReaderGoneError());
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      this.undo.push(
        surroundings.onSignal(name, () => {
          if (this.handedOver && name === 'SIGINT') return;
          if (this.signal.aborted) {
            surroundings.exitNow(new InterruptedError(name).exitCode);
            return;
          }
          if (announce && name === 'SIGINT' && output.isErrorTerminal)
            output.note('stopping; Ctrl-C again ends at once');
          this.controller.abort(new InterruptedError(name));
        }),
      );
    }
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Ends the command with a DeadlineError when the time has passed. */
  limit(what: string, milliseconds: number): void {
    const error = new DeadlineError(what, milliseconds);
    const timer = setTimeout(() => this.controller.abort(error), milliseconds);
    this.undo.push(() => clearTimeout(timer));
  }

  /** From now on Ctrl-C belongs to the program that was started in the foreground. */
  handOver(): void {
    this.handedOver = true;
  }

  [Symbol.dispose](): void {
    for (const undo of this.undo.splice(0)) undo();
  }
}
