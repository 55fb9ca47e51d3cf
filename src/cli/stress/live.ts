import { count } from '../../drill/stress/figures.ts';
import type { Live as Figures } from '../../drill/stress/runner.ts';
import { milliseconds } from '../../drill/stress/verdict.ts';
import type { Live } from '../progress.ts';
import type { Session } from '../session.ts';
import { createLook, type Look } from '../text/look.ts';
import { formatDuration } from '../text/units.ts';

const LINE_EVERY_MS = 5_000;
const BAR = 24;

/**
 * How the load goes, on stderr: a few lines that are drawn over and over on a terminal, else a line every five
 * seconds, and nothing where JSON is asked for.
 */
export class LiveView implements Live, Disposable {
  readonly #session: Session;
  readonly #name: string;
  readonly #look: Look;
  #lines: string[] = [];
  #drawn = 0;
  #lastLine = Number.NEGATIVE_INFINITY;
  #lastPhase = '';

  constructor(session: Session, name: string) {
    this.#session = session;
    this.#name = name;
    this.#look = createLook(session.output.colours.stderr);
  }

  show(endpoint: string, figures: Figures): void {
    const { output, json } = this.#session;
    if (output.isErrorTerminal) {
      if (this.#lines.length === 0) output.attach(this);
      this.erase();
      this.#lines = screen(this.#name, endpoint, figures, this.#look);
      this.draw();
      return;
    }
    if (json) return;
    const now = this.#session.now().getTime();
    const phase = `${endpoint} ${figures.phase}`;
    if (phase === this.#lastPhase && now - this.#lastLine < LINE_EVERY_MS) return;
    this.#lastPhase = phase;
    this.#lastLine = now;
    output.note(oneLine(endpoint, figures));
  }

  erase(): void {
    if (this.#drawn > 0) this.#session.output.rawError(`\u001b[${this.#drawn}A\r\u001b[J`);
    this.#drawn = 0;
  }

  draw(): void {
    const { output } = this.#session;
    // A line that wraps could not be erased again: the terminal cuts it.
    output.rawError(this.#lines.map(line => `\u001b[?7l${line}\u001b[?7h\n`).join(''));
    this.#drawn = this.#lines.length;
  }

  [Symbol.dispose](): void {
    if (this.#lines.length === 0) return;
    this.erase();
    this.#session.output.attach(undefined);
    this.#lines = [];
  }
}

/** What is drawn on a terminal. */
export function screen(name: string, endpoint: string, live: Figures, look: Look): string[] {
  const { phase, elapsedMs, remainingMs, connected, clients, waiting, latency } = live;
  const share = phase === 'load' ? elapsedMs / Math.max(1, elapsedMs + remainingMs) : connected / clients;
  const done = Math.round(Math.min(1, share) * BAR);
  const bar = `[${'#'.repeat(done)}${'.'.repeat(BAR - done)}]`;
  const what =
    phase === 'load'
      ? `${formatDuration(elapsedMs)} of ${formatDuration(elapsedMs + remainingMs)}`
      : `connecting, ${formatDuration(elapsedMs)}`;
  const head = `${look.strong(`${name} through ${endpoint}`)}  ${bar}  ${what}`;
  const people = `${connected} of ${clients}`;
  const lines = [
    head,
    `  connected    ${connected < clients ? look.caution(people) : people}   waiting for an answer ${waiting}`,
  ];
  if (phase === 'load') {
    const times =
      latency === undefined
        ? 'no answer in the last half second'
        : `p50 ${milliseconds(latency.p50)}   p95 ${milliseconds(latency.p95)}   p99 ${milliseconds(latency.p99)}`;
    lines.push(
      `  statements   ${count(live.perSecond)} a second   ${count(live.acknowledged)} so far`,
      `  latency      ${times}`,
      `  longest gap  ${milliseconds(live.longestGapMs)}`,
    );
  }
  lines.push(`  errors       ${live.errors.length === 0 ? 'none' : look.bad(errorList(live))}`);
  return [...lines, look.faint('  Ctrl-C ends it with a report')];
}

/** What is printed where lines stay. */
export function oneLine(endpoint: string, live: Figures): string {
  const { phase, elapsedMs, connected, clients, waiting, latency } = live;
  const errors = live.errors.length === 0 ? 'no error' : errorList(live);
  const head = `[${formatDuration(elapsedMs).padStart(6)}] ${endpoint}`;
  if (phase === 'connecting') return `${head}: connecting, ${connected} of ${clients} are; ${errors}`;
  const times =
    latency === undefined
      ? 'no answer'
      : `p50 ${milliseconds(latency.p50)}, p99 ${milliseconds(latency.p99)}`;
  return `${head}: ${count(live.perSecond)} a second, ${times}, ${connected} of ${clients} connected, ${waiting} waiting; ${errors}`;
}

/** By class, so that the line stays short: `53 out of resources 264 times`. */
function errorList({ errors }: Figures): string {
  const classes = new Map<string, number>();
  for (const error of errors) {
    const key = `${error.class} ${error.title}`;
    classes.set(key, (classes.get(key) ?? 0) + error.count);
  }
  return [...classes].map(([key, times]) => `${key} ${count(times)} times`).join(', ');
}
