/** What a drill found, as plain data: the JSON document, the text and the page are made from it. */
import {
  type Answer,
  answersOf,
  availabilityStrip,
  errorsBeyondInFlight,
  errorsByCode,
  type Outages,
  outages,
  type Strip,
} from '../../core/drill/availability.ts';
import { checkLedger, type LedgerCheck } from '../../core/drill/check.ts';
import { type DualReport, dualWrites } from '../../core/drill/dual.ts';
import type { MemberLedger, ReadRecord, WriteRecord } from '../../core/drill/history.ts';
import type { Lease, Scenario } from '../../core/drill/scenario.ts';
import {
  dualPrimaryMs,
  type LeaderSample,
  type MemberSample,
  type Moment,
  timelineOf,
} from '../../core/drill/timeline.ts';
import { type DrillVerdict, judgeDrill } from '../../core/drill/verdict.ts';
import type { ClusterPromise } from '../../core/topology/promise.ts';
import { sha256 } from '../load/client.ts';
import { INSIDE } from '../load/paths.ts';
import type { Performed } from './steps.ts';

export interface DrillReport {
  scenario: Pick<Scenario, 'id' | 'name' | 'title' | 'promise'>;
  cluster: string;
  namespace: string;
  /** ISO 8601, of the injection. */
  at: string;
  mode: ClusterPromise['mode'];
  injections: string[];
  weaker: string[];
  timeline: Moment[];
  /** Longest times without an acknowledgement from the injection on, through the endpoints. */
  writes: Outages;
  reads: Outages;
  bounds: { writeMs: number | undefined; readMs: number | undefined };
  errors: ReturnType<typeof errorsByCode>;
  errorsBeyondInFlight: number;
  /** Requests that were not acknowledged or answered, by path. */
  errorsOfPaths: Record<string, number>;
  check: LedgerCheck;
  dual: DualReport;
  /** Longest time in which two members called themselves primary. */
  dualPrimaryMs: number;
  wholeAfterMs: number | undefined;
  verdict: DrillVerdict;
  notes: string[];
  strips: { writes: Strip; reads: Strip };
  /** Where the history and the page lie. */
  directory: string;
}

export interface Evidence {
  scenario: Scenario;
  cluster: { name: string; namespace: string };
  mode: ClusterPromise['mode'];
  lease: Lease;
  performed: Performed;
  writes: WriteRecord[];
  reads: ReadRecord[];
  members: MemberLedger[];
  /** All members that must have been read. */
  memberNames: string[];
  samples: { members: MemberSample[]; leaders: LeaderSample[] };
  /** Unix milliseconds. */
  loadBegan: number;
  loadEnded: number;
  wholeAt: number | undefined;
  capMs: number;
  directory: string;
}

/** A shorter one is what two cores at work do to a path with a request every 125 ms: no moment of the timeline. */
const GAP_MS = 400;

/** Weighs the evidence of a drill. Pure but for the hash of the ledger's chains. */
export function reportOf(evidence: Evidence): DrillReport {
  const { scenario, performed, lease, mode, wholeAt, capMs } = evidence;
  const { injectedAt } = performed;
  const window = { from: injectedAt, to: evidence.loadEnded };
  const whole = { from: evidence.loadBegan, to: evidence.loadEnded };
  const applications = evidence.writes.filter(({ path }) => !path.startsWith(INSIDE));
  const answers = answersOf(evidence.reads);
  const writes = outages(applications, window);
  const reads = outages(answers, window);
  const bounds = { writeMs: scenario.bounds.writes(lease), readMs: scenario.bounds.reads(lease) };
  const check = checkLedger(evidence.writes, evidence.members, sha256);
  const dual = dualWrites(evidence.writes);
  const wholeAfterMs = wholeAt === undefined ? undefined : wholeAt - injectedAt;
  const beyond = errorsBeyondInFlight([...applications, ...answers], [injectedAt]);
  const terms = {
    mode,
    writeOutageMs: bounds.writeMs,
    readOutageMs: bounds.readMs,
    errorsAllowed: true,
    lossAllowed: true,
    lossBytes: undefined,
    capMs,
  };
  const verdict = judgeDrill(terms, {
    check,
    members: evidence.memberNames,
    dual,
    writeOutageMs: writes.worst.ms,
    readOutageMs: evidence.reads.length === 0 ? undefined : reads.worst.ms,
    errorsBeyondInFlight: beyond,
    wholeAfterMs,
    rehearsed: performed.broken,
  });
  const { id, name, title, promise } = scenario;
  return {
    scenario: { id, name, title, promise },
    cluster: evidence.cluster.name,
    namespace: evidence.cluster.namespace,
    at: new Date(injectedAt).toISOString(),
    mode,
    injections: performed.injections,
    weaker: performed.weaker,
    timeline: timelineOf({
      injectedAt,
      primary: performed.primary,
      members: evidence.samples.members,
      leaders: evidence.samples.leaders,
      firstWriteAt: writes.worst.ms > GAP_MS ? writes.worst.to : undefined,
      undoneAt: performed.undoneAt,
      wholeAt,
    }),
    writes,
    reads,
    bounds,
    errors: errorsByCode([...applications, ...answers]),
    errorsBeyondInFlight: beyond,
    errorsOfPaths: errorsOfPaths([...applications, ...answers]),
    check,
    dual,
    dualPrimaryMs: dualPrimaryMs(evidence.samples.members),
    wholeAfterMs,
    verdict,
    notes: [...performed.notes, ...verdict.notes],
    strips: {
      writes: availabilityStrip(applications, whole),
      reads: availabilityStrip(answers, whole),
    },
    directory: evidence.directory,
  };
}

function errorsOfPaths(answers: Answer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { path, outcome } of answers) {
    counts[path] = (counts[path] ?? 0) + (outcome === 'acknowledged' ? 0 : 1);
  }
  return counts;
}
