import { RefusedError } from '../../lib/errors.ts';
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

/** Observes every second until the user stops it. Never resolves. */
export async function watchStatus(session: Session, name: string): Promise<never> {
  const { signal, output, json } = session;
  const cluster = await openCluster(session, name);
  const screen = output.isTerminal && !json;
  if (screen) output.raw(`\u001b[2J${HOME}`);
  let last: StatusOutcome | undefined;
  for (;;) {
    const started = session.now().getTime();
    try {
      const outcome = await statusOf(cluster, signal);
      if (screen) redraw(session, statusText(outcome, session));
      else if (json) printDocument(session, outcome, last);
      else
        for (const line of changesBetween(last, outcome))
          output.result(`${outcome.observed.observedAt}  ${line}`);
      last = outcome;
    } catch (error) {
      signal.throwIfAborted();
      // A cluster that was destroyed meanwhile will not come back.
      if (error instanceof RefusedError) throw error;
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
  const hint = session.look.faint('every second; Ctrl-C ends');
  const lines = [...text.split('\n'), '', hint].map(line => `${line}${CLEAR_LINE}`);
  session.output.raw(`${HOME}${lines.join('\n')}\n${CLEAR_BELOW}`);
}

function printDocument(session: Session, outcome: StatusOutcome, last: StatusOutcome | undefined): void {
  if (last !== undefined && changesBetween(last, outcome).length === 0) return;
  session.output.result(JSON.stringify(statusToDocument(outcome)));
}
