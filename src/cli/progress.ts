import type { Output } from './output.ts';
import { formatDuration } from './text/units.ts';

/** The line at the bottom of a terminal that is drawn over and over. */
export interface Live {
  erase(): void;
  draw(): void;
}

export type ProgressMode = 'live' | 'lines' | 'none';

const FRAMES = ['|', '/', '-', '\\'] as const;
const FRAME_MS = 120;
/** A log that stands still for longer looks like a program that hangs. */
const REMINDER_MS = 15_000;

/**
 * What is being done right now, on stderr: one live line on a terminal, else a line per message with the
 * seconds since the command began.
 */
export class Progress implements Live {
  private readonly output: Output;
  private readonly mode: ProgressMode;
  private readonly now: () => Date;
  private readonly started: number;
  private message = '';
  private frame = 0;
  private timer: NodeJS.Timeout | undefined;
  private lastLine = '';

  constructor(output: Output, mode: ProgressMode, now: () => Date) {
    this.output = output;
    this.mode = mode;
    this.now = now;
    this.started = now().getTime();
  }

  get elapsedMs(): number {
    return this.now().getTime() - this.started;
  }

  /** Says what is being done; replaces the last message. */
  say(message: string): void {
    if (this.mode === 'none') return;
    this.message = message;
    if (this.mode === 'lines') {
      if (message !== this.lastLine) this.line(message);
      this.lastLine = message;
      return;
    }
    if (this.timer === undefined) {
      this.output.attach(this);
      this.timer = setInterval(() => this.draw(), FRAME_MS);
      this.timer.unref();
    }
    this.draw();
  }

  /** A step of a plan began or ended. The live line is too short-lived for a step that took its time. */
  step(summary: string, state: 'started' | 'done' | 'failed', milliseconds: number): void {
    if (state === 'started') this.say(summary);
    else if (this.mode === 'live')
      this.output.note(`${state === 'done' ? '+' : '!'} ${summary} (${formatDuration(milliseconds)})`);
    else if (state === 'failed') this.say(`failed: ${summary}`);
  }

  /** Takes the live line away for good; the next `say` brings it back. */
  end(): void {
    if (this.timer === undefined) return;
    clearInterval(this.timer);
    this.timer = undefined;
    if (this.mode !== 'live') return;
    this.erase();
    this.output.attach(undefined);
  }

  private line(text: string): void {
    this.output.note(`[${formatDuration(this.elapsedMs).padStart(6)}] ${text}`);
    clearInterval(this.timer);
    this.timer = setInterval(() => this.line(`still: ${this.message}`), REMINDER_MS);
    this.timer.unref();
  }

  erase(): void {
    if (this.mode === 'live') this.output.rawError('\r\u001b[K');
  }

  draw(): void {
    if (this.timer === undefined) return;
    this.frame = (this.frame + 1) % FRAMES.length;
    const line = `${FRAMES[this.frame]} ${formatDuration(this.elapsedMs)}  ${this.message}`;
    // A line that wraps cannot be erased again.
    this.output.rawError(`\r\u001b[K${line.slice(0, this.output.errorColumns - 1)}`);
  }
}
