import type { Command } from 'commander';
import { describeFailure, EXIT, type Failure, failureDocument, failureText } from './failure.ts';
import { globalsOf } from './globals.ts';
import { Interrupt } from './interrupt.ts';
import { Output } from './output.ts';
import { Session } from './session.ts';
import type { Surroundings } from './surroundings.ts';
import { createLook } from './text/look.ts';
import { UsageError } from './usage.ts';

export interface RunOptions {
  /** What an interruption leaves behind and how to go on; undefined: it leaves nothing worth a word. */
  interrupted?: ((session: Session) => string) | undefined;
  /** Deadline unless --timeout names one; undefined: none, the command ends when the user ends it. */
  timeoutMs: number | undefined;
  /** The command has a use for words behind `--`. */
  passes?: boolean | undefined;
}

/** Runs the actions of commands: what they all have in common around their handlers. */
export class Cli {
  exitCode: number = EXIT.done;
  /** Names of all commands: hints of other rooms speak of them as `pgherd NAME`. */
  commandNames: readonly string[] = [];
  readonly surroundings: Surroundings;
  /** What stood behind `--` on the command line. */
  readonly passed: readonly string[];
  private readonly wantsJson: boolean;

  constructor(surroundings: Surroundings, passed: readonly string[], wantsJson: boolean) {
    this.surroundings = surroundings;
    this.passed = passed;
    this.wantsJson = wantsJson;
  }

  /**
   * Runs one command with its deadline and interruption, and reports what it throws. The action's number is
   * the exit code; nothing means done.
   */
  async run(
    command: Command,
    action: (session: Session) => Promise<number | undefined>,
    options: RunOptions,
  ): Promise<void> {
    const { surroundings } = this;
    const globals = globalsOf(command, surroundings.cwd);
    const output = this.output(!globals.color);
    using interrupt = new Interrupt(surroundings, output, options.interrupted !== undefined);
    const session = new Session(surroundings, globals, output, interrupt);
    using _scope = session.scope;
    const timeoutMs = globals.timeoutMs ?? options.timeoutMs;
    if (timeoutMs !== undefined) interrupt.limit(`pgherd ${command.name()}`, timeoutMs);
    try {
      if (this.passed.length > 0 && options.passes !== true) {
        throw new UsageError(
          `pgherd ${command.name()} has no use for words behind --`,
          `see: pgherd ${command.name()} --help`,
        );
      }
      this.exitCode = (await action(session)) ?? EXIT.done;
      session.progress.end();
    } catch (error) {
      session.progress.end();
      const failure = describeFailure(error, {
        verbose: globals.verbose,
        aborted: interrupt.signal.aborted ? interrupt.signal.reason : undefined,
        interrupted: options.interrupted?.(session),
      });
      this.report(failure, output, session.json);
    }
    if (output.readerGone) this.exitCode = EXIT.done;
    await output.flush();
  }

  /** Reports what went wrong before a command could begin. */
  async refuse(error: unknown): Promise<void> {
    const output = this.output(false);
    const verbose = this.surroundings.argv.includes('--verbose');
    this.report(
      describeFailure(error, { verbose, aborted: undefined, interrupted: undefined }),
      output,
      this.wantsJson,
    );
    await output.flush();
  }

  private output(noColour: boolean): Output {
    const { stdout, stderr, env } = this.surroundings;
    return new Output(stdout, stderr, noColour || Boolean(env.NO_COLOR) || env.TERM === 'dumb');
  }

  private report(failure: Failure, output: Output, json: boolean): void {
    this.exitCode = failure.exitCode;
    if (failure.silent) return;
    if (json) output.result(JSON.stringify(failureDocument(failure), null, 2));
    else {
      const hint = failure.hint === undefined ? undefined : this.callable(failure.hint);
      output.note(failureText({ ...failure, hint }, createLook(output.colours.stderr)));
    }
  }

  /** Commands in a hint, as this user would have to type them. */
  private callable(hint: string): string {
    const command = new RegExp(`(?<![\\w./-])pgherd (?=(?:${this.commandNames.join('|')})\\b)`, 'g');
    return this.commandNames.length === 0 ? hint : hint.replace(command, `${this.surroundings.program} `);
  }
}
