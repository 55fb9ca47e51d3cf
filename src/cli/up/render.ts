import { shellQuote } from '../../lib/shell.ts';
import { libpqUri } from '../connection.ts';
import { head, memberDocument, stepDocument, toSeconds } from '../documents.ts';
import {
  ENDPOINT_NAMES,
  ENDPOINT_PURPOSES,
  ENDPOINT_WORDS,
  endpointsDocument,
  formatAddress,
} from '../endpoints.ts';
import { noteLines, warningLines } from '../findings.ts';
import { promiseLines } from '../promise.ts';
import type { UpDocument } from '../schema.ts';
import type { Session } from '../session.ts';
import { bullets } from '../text/fold.ts';
import { type Cell, table } from '../text/table.ts';
import { count, formatDuration } from '../text/units.ts';
import type { UpOutcome } from './handler.ts';

/** The outcome as JSON. */
export function upToDocument(outcome: UpOutcome): UpDocument {
  const { ref, connection, observed, verdict, manifest } = outcome;
  return {
    ...head(ref),
    created: outcome.created,
    changed: outcome.steps.length > 0,
    steps: outcome.steps.map(stepDocument),
    members: observed.members.map(memberDocument),
    endpoints: endpointsDocument(observed.endpoints),
    url: connection === undefined ? null : libpqUri(connection),
    caFile: connection?.caFile ?? null,
    secrets: outcome.secrets,
    promise: verdict.promise,
    verdict: verdict.verdict,
    warnings: manifest.warnings,
    notes: outcome.notes,
    seconds: toSeconds(outcome.durationMs),
  };
}

/** The summary of `up`, made to be copied from. */
export function upText(outcome: UpOutcome, session: Session): string {
  const { look } = session;
  const { verdict, manifest, notes } = outcome;
  const title = (text: string): string => look.strong(text);
  const lines = [headline(outcome, session)];
  if (verdict.verdict !== 'healthy' && verdict.verdict !== 'stopped') {
    lines.push('', look.caution(verdict.sentence));
    if (verdict.reasons.length > 1)
      lines.push(...bullets(verdict.reasons, session.output.proseColumns, '- '));
  }
  if (outcome.connection !== undefined) {
    lines.push(
      '',
      title('Endpoints'),
      ...endpointLines(outcome),
      '',
      title('Connect'),
      ...connectLines(outcome, session),
    );
    lines.push('', title('Passwords'), ...passwordLines(outcome, session));
  }
  lines.push('', title('Promise'), ...promiseLines(verdict.promise, session.output.proseColumns));
  lines.push(...noteLines(notes, look, session.output.proseColumns), ...warningLines(manifest, look));
  lines.push('', title('Next'), ...nextLines(outcome, session));
  return lines.join('\n');
}

function headline(
  { ref, steps, created, observed, durationMs, verdict }: UpOutcome,
  { look }: Session,
): string {
  const name = look.strong(ref.name);
  const took = look.faint(`(${formatDuration(durationMs)})`);
  if (verdict.verdict === 'stopped') return `${name} is stopped, as numberOfInstances: 0 asks for ${took}`;
  const serving = observed.members.filter(
    member => member.state === 'streaming' || member.role === 'primary',
  ).length;
  const members = `${count(serving, 'member')} streaming`;
  if (steps.length === 0) return `${name}: nothing to change: ${members} ${took}`;
  const what = created ? 'is up' : `is up to date after ${count(steps.length, 'step')}`;
  return `${name} ${look.good(what)} and takes writes: ${members} ${took}`;
}

function endpointLines({ observed }: UpOutcome): string[] {
  const rows = ENDPOINT_WORDS.flatMap((word): Cell[][] => {
    const address = observed.endpoints[ENDPOINT_NAMES[word]];
    return address === undefined ? [] : [[word, formatAddress(address), ENDPOINT_PURPOSES[word]]];
  });
  return table(rows);
}

function connectLines({ ref, connection }: UpOutcome, session: Session): string[] {
  if (connection === undefined) return [];
  const uri = libpqUri(connection);
  const password = session.command(['password', ref.name, connection.user], ref);
  return [
    `  ${session.command(['psql', ref.name], ref)}`,
    `  PGPASSWORD="$(${password})" psql ${shellQuote(uri)}`,
    '',
    `  ${uri}`,
    session.look.faint(`  the same with its password: ${session.command(['url', ref.name], ref)}`),
  ];
}

function passwordLines({ ref, secrets, manifest }: UpOutcome, session: Session): string[] {
  // What servers use among themselves is nobody's way in: JSON lists it, here it would only distract.
  const internal = new Set(['standby', manifest.spec.pooler.user]);
  const rows = secrets
    .filter(({ user }) => !internal.has(user))
    .map(({ user, secret }): Cell[] => [
      session.command(['password', ref.name, user], ref),
      { text: `Secret ${secret}`, paint: session.look.faint },
    ]);
  return table(rows);
}

function nextLines({ ref, manifest }: UpOutcome, session: Session): string[] {
  const rows: [string, string][] = [
    [session.command(['status', ref.name], ref), 'is it healthy, what would be lost?'],
    [session.command(['logs', ref.name, '-f'], ref), 'what all servers say'],
    [session.command(['switchover', ref.name], ref), 'move the primary; sessions are cut once'],
    [session.command(['plan', manifest.file]), 'what an edit of the manifest would do'],
    [session.command(['down', ref.name], ref), 'stop it, keep the data'],
  ];
  return table(
    rows.map(([command, meaning]): Cell[] => [command, { text: meaning, paint: session.look.faint }]),
  );
}
