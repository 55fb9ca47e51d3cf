import { resolve } from 'node:path';
import { shellQuote } from '../lib/shell.ts';
import type { ApplyContext, ClusterRef, Platform } from '../platform/contract.ts';
import type { Globals } from './globals.ts';
import type { Interrupt } from './interrupt.ts';
import type { Output } from './output.ts';
import { Progress } from './progress.ts';
import type { Surroundings } from './surroundings.ts';
import { createLook, type Look } from './text/look.ts';

/** One run of one command: what handlers and renderers may use of the world. */
export class Session {
  readonly globals: Globals;
  readonly output: Output;
  readonly look: Look;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly surroundings: Surroundings;
  readonly interrupt: Interrupt;
  /** What is released when the command has ended. */
  readonly scope = new DisposableStack();
  private opened: Promise<Platform> | undefined;

  constructor(surroundings: Surroundings, globals: Globals, output: Output, interrupt: Interrupt) {
    this.surroundings = surroundings;
    this.globals = globals;
    this.output = output;
    this.interrupt = interrupt;
    this.signal = interrupt.signal;
    this.look = createLook(output.colours.stdout);
    const live = output.isErrorTerminal;
    const mode = live ? 'live' : globals.output === 'json' ? 'none' : 'lines';
    this.progress = new Progress(output, mode, surroundings.now);
  }

  get json(): boolean {
    return this.globals.output === 'json';
  }

  now(): Date {
    return this.surroundings.now();
  }

  /** Where clusters are kept: --state-dir, PGHERD_STATE_DIR, or the place for this user. */
  get stateDir(): string {
    const { env, cwd, adapters } = this.surroundings;
    if (this.globals.stateDir !== undefined) return this.globals.stateDir;
    if (env.PGHERD_STATE_DIR) return resolve(cwd, env.PGHERD_STATE_DIR);
    return adapters.defaultStateDir();
  }

  platform(): Promise<Platform> {
    const { adapters, cwd } = this.surroundings;
    const { kubeconfig, context, namespace } = this.globals;
    if (kubeconfig !== undefined || context !== undefined) {
      const path = kubeconfig === undefined ? undefined : resolve(cwd, kubeconfig);
      const { stateDir } = this;
      this.opened ??= adapters.kubernetes({ kubeconfig: path, context, namespace, stateDir });
    }
    this.opened ??= adapters.platform({
      stateDir: this.stateDir,
      onSetup: message => this.progress.say(message),
    });
    return this.opened;
  }

  /** What long operations report to. */
  get context(): ApplyContext {
    return { signal: this.signal, progress: message => this.progress.say(message) };
  }

  /** Prints the result of the command: the document where JSON is asked for, else the text. */
  print(document: object, text: () => string): void {
    this.progress.end();
    this.output.result(this.json ? JSON.stringify(document, null, 2) : text());
  }

  /** A command as this user would have to type it: same state directory, and the namespace where it matters. */
  command(words: readonly string[], ref?: Pick<ClusterRef, 'namespace'>): string {
    const argv = [this.surroundings.program, ...words];
    const place = words.indexOf('--');
    const options = [
      ...(this.globals.namespace === undefined || ref === undefined ? [] : ['-n', ref.namespace]),
      ...this.placeOptions(),
    ];
    argv.splice(place < 0 ? argv.length : place + 1, 0, ...options);
    return argv.map(shellQuote).join(' ');
  }

  /** A command that core suggests, which knows neither how we were called nor where state lies. */
  suggest(line: string): string {
    const words = /^pgherd (.+)$/.exec(line)?.[1];
    if (words === undefined) return line;
    return [shellQuote(this.surroundings.program), words, ...this.placeOptions().map(shellQuote)].join(' ');
  }

  /** Where the clusters are, as it was said to us. */
  private placeOptions(): string[] {
    const { stateDir, kubeconfig, context } = this.globals;
    return [
      ...(stateDir === undefined ? [] : ['--state-dir', stateDir]),
      ...(kubeconfig === undefined ? [] : ['--kubeconfig', kubeconfig]),
      ...(context === undefined ? [] : ['--context', context]),
    ];
  }
}
