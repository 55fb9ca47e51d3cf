import type { Live } from './progress.ts';
import type { Sink } from './surroundings.ts';

/**
 * The only way text leaves the CLI. Results go to stdout, everything about the way there to stderr.
 * A reader that goes away (`| head`) is not an error: `onReaderGone` ends the command quietly.
 */
export class Output {
  readonly colours: { stdout: boolean; stderr: boolean };
  onReaderGone: () => void = () => {};
  private readonly stdout: Sink;
  private readonly stderr: Sink;
  private live: Live | undefined;
  private gone = false;

  constructor(stdout: Sink, stderr: Sink, noColour: boolean) {
    this.stdout = stdout;
    this.stderr = stderr;
    this.colours = {
      stdout: stdout.isTTY === true && !noColour,
      stderr: stderr.isTTY === true && !noColour,
    };
    const onError = (error: Error): void => {
      if ('code' in error && error.code === 'EPIPE') {
        if (this.gone) return;
        this.gone = true;
        this.onReaderGone();
        return;
      }
      throw error;
    };
    stdout.on('error', onError);
    stderr.on('error', onError);
  }

  get isTerminal(): boolean {
    return this.stdout.isTTY === true;
  }

  get isErrorTerminal(): boolean {
    return this.stderr.isTTY === true;
  }

  /** Where sentences of a result are folded: wide tables may be wider, prose is hard to read so. */
  get proseColumns(): number {
    return Math.min(100, Math.max(40, this.stdout.columns ?? 100));
  }

  get rows(): number {
    return this.stdout.rows ?? 24;
  }

  get errorColumns(): number {
    return this.stderr.columns ?? 80;
  }

  get readerGone(): boolean {
    return this.gone;
  }

  /** Whatever is printed from now on goes above this line, which is drawn again below it. */
  attach(live: Live | undefined): void {
    this.live = live;
  }

  /** A part of the result. A newline is added. */
  result(text: string): void {
    if (this.gone) return;
    this.live?.erase();
    this.stdout.write(`${text}\n`);
  }

  /** Exactly this on stdout, without a newline: cursor movements of a screen that redraws itself. */
  raw(text: string): void {
    if (!this.gone) this.stdout.write(text);
  }

  /** One of many lines: waits while the reader is slower than we are. */
  async stream(text: string, signal: AbortSignal): Promise<void> {
    if (this.gone || this.stdout.write(`${text}\n`)) return;
    await new Promise<void>(resolve => {
      const done = (): void => {
        signal.removeEventListener('abort', done);
        this.stdout.off('drain', done);
        resolve();
      };
      this.stdout.once('drain', done);
      signal.addEventListener('abort', done, { once: true });
      if (signal.aborted) done();
    });
  }

  /** A line for people beside the result: on stderr. */
  note(text: string): void {
    this.live?.erase();
    this.stderr.write(`${text}\n`);
    this.live?.draw();
  }

  /** Exactly this on stderr: the live line. */
  rawError(text: string): void {
    this.stderr.write(text);
  }

  /** Resolves when everything written so far has left this process. */
  async flush(): Promise<void> {
    const sinks = this.gone ? [this.stderr] : [this.stdout, this.stderr];
    await Promise.all(sinks.map(sink => new Promise<void>(resolve => void sink.write('', () => resolve()))));
  }
}
