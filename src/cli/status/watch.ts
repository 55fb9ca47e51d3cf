import { sleep } from '../../lib/time.ts';
import { describeFailure } from '../failure.ts';
import type { Session } from '../session.ts';
import { openCluster } from '../target.ts';
import { changesBetween } from './changes.ts';
import { type StatusOutcome, statusOf } from './handler.ts';
import { statusText, statusToDocument } from './render.ts';

const PERIOD_MS = 1_000;
/** Home, and from there over what was drawn before: a screen that is cleared first flickers. */
const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';
const CLEAR_SCREEN = '\u001b[2J';
/** A line that wraps would push the others out of their places. */
const WRAP_OFF = '\u001b[?7l';
const WRAP_ON = '\u001b[?7h';

/** Observes every second until the user stops it. Never resolves. */
export async function watchStatus(session: Session, name: string): Promise<never> {
  const { signal, output, json } = session;
  const cluster = await openCluster(session, name);
  const screen = output.isTerminal && !json;
  if (screen) {
    output.raw(`${WRAP_OFF}${CLEAR_SCREEN}`);
    session.scope.defer(() => output.raw(WRAP_ON));
  }
  let last: StatusOutcome | undefined;
  for (;;) {
    const started = session.now().getTime();
    try {
      const outcome = await statusOf(cluster, signal, last);
      if (screen) redraw(session, statusText(outcome, session));
      else printNews(session, last, outcome);
      last = outcome;
    } catch (error) {
      signal.throwIfAborted();
      const { message } = describeFailure(error, {
        verbose: false,
        aborted: undefined,
        interrupted: undefined,
      });
      if (screen) redraw(session, `${session.look.bad('error:')} ${message}`);
      else output.note(`error: ${message}`);
    }
    await sleep(Math.max(0, PERIOD_MS - (session.now().getTime() - started)), signal);
  }
}

function redraw(session: Session, text: string): void {
  const { look, output } = session;
  const room = output.rows - 2;
  const all = text.split('\n');
  const shown = all.length <= room ? all : all.slice(0, room);
  const rest = all.length - shown.length;
  const hint = look.faint(`${rest > 0 ? `${rest} more lines below; ` : ''}every second; Ctrl-C ends`);
  const lines = [...shown, hint].map(line => `${line}${CLEAR_LINE}`);
  output.raw(`${HOME}${lines.join('\n')}\n${CLEAR_BELOW}`);
}

/** Nothing, unless something is different from the last time. */
function printNews({ output, json }: Session, last: StatusOutcome | undefined, outcome: StatusOutcome): void {
  const changes = changesBetween(last, outcome);
  if (!json) for (const line of changes) output.result(`${outcome.observed.observedAt}  ${line}`);
  else if (changes.length > 0) output.result(JSON.stringify(statusToDocument(outcome)));
}
