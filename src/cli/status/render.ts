import type { ComponentKind, ComponentObservation } from '../../core/topology/observation.ts';
import type { Verdict } from '../../core/topology/verdict.ts';
import { head, memberDocument } from '../documents.ts';
import {
  ENDPOINT_NAMES,
  ENDPOINT_PURPOSES,
  ENDPOINT_WORDS,
  endpointsDocument,
  formatAddress,
} from '../endpoints.ts';
import { memberTable, sorted } from '../members.ts';
import { promiseLines } from '../promise.ts';
import type { StatusDocument } from '../schema.ts';
import type { Session } from '../session.ts';
import { bullets } from '../text/fold.ts';
import type { Look } from '../text/look.ts';
import { type Cell, table } from '../text/table.ts';
import { formatAge } from '../text/units.ts';
import type { StatusOutcome } from './handler.ts';

/** The status as JSON: the document that tools rely on most. */
export function statusToDocument(outcome: StatusOutcome): StatusDocument {
  const { ref, observed, verdict, notes } = outcome;
  const { controlPlane, dcs } = observed;
  return {
    ...head(ref),
    verdict: verdict.verdict,
    sentence: verdict.sentence,
    reasons: verdict.reasons,
    lossIfPrimaryDied: verdict.lossIfPrimaryDied,
    promise: verdict.promise,
    version: observed.version.actual,
    versionWanted: observed.version.wanted,
    members: sorted(observed.members).map(memberDocument),
    endpoints: endpointsDocument(observed.endpoints),
    components: observed.components.map(({ name, kind, running, since, outdated }) => ({
      name,
      kind,
      running,
      since: since ?? null,
      outdated,
    })),
    dcs: dcs === undefined ? null : { voters: dcs.voters, healthyVoters: dcs.healthyVoters },
    controlPlane:
      controlPlane === undefined
        ? null
        : { running: controlPlane.running, since: controlPlane.since ?? null },
    notes,
    next: verdict.next,
    observedAt: observed.observedAt,
  };
}

/** The status for people: the verdict first, every value with its age. */
export function statusText(outcome: StatusOutcome, session: Session): string {
  const { ref, observed, verdict, notes } = outcome;
  const { look } = session;
  const now = session.now();
  const title = (text: string): string => look.strong(text);
  const width = session.output.proseColumns;
  const lines = [`${look.strong(ref.name)} is ${paintVerdict(verdict, look)}`];
  // The sentence holds the first reason already.
  if (verdict.reasons.length > 1) lines.push(...bullets(verdict.reasons, width, '- '));
  const { possible, sentence } = verdict.lossIfPrimaryDied;
  if (verdict.verdict !== 'stopped') {
    lines.push(`Lost if the primary died now: ${possible ? look.caution(sentence) : sentence}`);
  }
  lines.push('', `${title('Members')} ${look.faint(`observed ${formatAge(observed.observedAt, now)} ago`)}`);
  lines.push(...memberTable(observed.members, now, look));
  const endpoints = endpointLines(outcome, look);
  if (endpoints.length > 0) lines.push('', title('Endpoints'), ...endpoints);
  lines.push('', title('Servers'), ...serverLines(outcome, session));
  lines.push('', title('Promise'), ...promiseLines(verdict.promise, width));
  if (notes.length > 0) lines.push('', title('Notes'), ...bullets(notes, width));
  if (verdict.next.length > 0)
    lines.push('', title('Next'), ...verdict.next.map(line => `  ${session.suggest(line)}`));
  return lines.join('\n');
}

/** The verdict sentence in the colour of the verdict. */
export function paintVerdict(verdict: Verdict, look: Look): string {
  switch (verdict.verdict) {
    case 'healthy':
      return look.good(verdict.sentence);
    case 'degraded':
      return look.caution(verdict.sentence);
    case 'down':
      return look.bad(verdict.sentence);
    case 'stopped':
      return verdict.sentence;
  }
}

function endpointLines({ observed }: StatusOutcome, look: Look): string[] {
  const rows = ENDPOINT_WORDS.flatMap((word): Cell[][] => {
    const address = observed.endpoints[ENDPOINT_NAMES[word]];
    const purpose = { text: ENDPOINT_PURPOSES[word], paint: look.faint };
    return address === undefined ? [] : [[word, formatAddress(address), purpose]];
  });
  return table(rows);
}

const KINDS: readonly [kind: ComponentKind, name: string][] = [
  ['etcd', 'etcd'],
  ['proxy', 'proxy'],
  ['pooler', 'pooler'],
  ['poolerStandby', 'pooler-standby'],
];

function serverLines({ observed }: StatusOutcome, session: Session): string[] {
  const { look } = session;
  const moment = session.now();
  const { dcs, controlPlane, version } = observed;
  const rows: Cell[][] = [];
  const postgres = version.actual.startsWith(version.wanted)
    ? version.actual
    : `${version.actual} (wanted: ${version.wanted})`;
  rows.push(['PostgreSQL', postgres]);
  for (const [kind, name] of KINDS) {
    const servers = observed.components.filter(component => component.kind === kind);
    if (servers.length === 0) continue;
    const votes = kind === 'etcd' && dcs !== undefined ? `, ${dcs.healthyVoters} of ${dcs.voters} vote` : '';
    const running = servers.filter(server => server.running).length;
    const text = `${running} of ${servers.length} running${votes}`;
    rows.push([
      name,
      { text, paint: running === servers.length ? plain => plain : look.bad },
      remarks(servers, moment),
    ]);
  }
  if (controlPlane !== undefined) {
    const state = controlPlane.running ? 'running' : 'not running';
    const age = controlPlane.since === undefined ? '' : ` for ${formatAge(controlPlane.since, moment)}`;
    rows.push([
      'control plane',
      { text: state + age, paint: controlPlane.running ? plain => plain : look.caution },
    ]);
  }
  return table(rows);
}

/** Names the servers that do not run, and those that lack a part of their configuration. */
function remarks(servers: readonly ComponentObservation[], now: Date): string {
  const stopped = servers
    .filter(server => !server.running)
    .map(
      server =>
        `${server.name} stopped${server.since === undefined ? '' : ` for ${formatAge(server.since, now)}`}`,
    );
  const outdated = servers
    .filter(server => server.running && server.outdated !== 'no')
    .map(
      server =>
        `${server.name} needs a ${server.outdated}${server.differences.length > 0 ? `: ${server.differences.join(', ')}` : ''}`,
    );
  return [...stopped, ...outdated].join('; ');
}
